/** What the viewer knows of the editing. */

import { type ComponentChild, h } from 'preact'
import type { Gesture } from '../api/types'
import { askPerson } from '../panels/person'
import { activeView } from '../store/exam'
import { api, page, setExam } from '../store/page'
import type { Binding, Tool, Viewport } from '../viewer/viewport'
import { judge, propagate, Strip, UndoButtons } from './bar'
import { Handles } from './handles'
import { Exchange } from './exchange'
import { edits, EDIT_INITIAL } from './state'
import { Hands } from './tools'

export interface Editing {
  readonly tools: readonly Tool[]
  readonly bindings: readonly Binding[]
  /** Sends a gesture and puts the answer into the state; shows why where it is refused. */
  send(gesture: Gesture): Promise<void>
  /** A view is there: handles may be drawn on its stage. Returns what ends it. */
  attach(viewport: Viewport): () => void
  /** Undo and redo, beside the tools. */
  bar(): ComponentChild
  /** All that is no tool, in one line below the views. */
  strip(): ComponentChild
  /** The exam is left. */
  close(): void
}

const LARGER = 1.25
const SMALLEST_BRUSH = 0.5
const LARGEST_BRUSH = 60

export function startEditing(): Editing {
  edits.set(EDIT_INITIAL)
  const exchange = new Exchange({
    study: page.get().exam?.study.id ?? '',
    api,
    askPerson,
    storage: localStorage,
    later: (call, delay_ms) => {
      const timer = setTimeout(call, delay_ms)
      return () => clearTimeout(timer)
    },
    now: () => performance.now(),
  })
  const shown = new Set<Handles>()
  const drawSoon = (): void => shown.forEach((handles) => handles.drawSoon())
  const hands = new Hands(() => exchange, drawSoon)
  const endings = [
    page.subscribe(drawSoon),
    edits.subscribe(drawSoon),
    heard('online', () => void exchange.retry()),
    heard('beforeunload', (event) => exchange.wouldLose && event.preventDefault()),
    heard('pagehide', () => exchange.leave()),
  ]
  return {
    tools: hands.tools,
    bindings: bindingsOf(exchange, hands),
    send: (gesture) => exchange.send(gesture),
    attach(viewport) {
      const handles = new Handles(viewport, hands)
      shown.add(handles)
      return () => {
        shown.delete(handles)
        handles.close()
      }
    },
    bar: () => h(UndoButtons, { exchange }),
    strip: () => h(Strip, { exchange }),
    close() {
      hands.cancel()
      exchange.close()
      for (const end of endings) end()
    },
  }
}

function heard<Name extends keyof WindowEventMap>(name: Name, hear: (event: WindowEventMap[Name]) => void): () => void {
  window.addEventListener(name, hear)
  return () => window.removeEventListener(name, hear)
}

function bindingsOf(exchange: Exchange, hands: Hands): Binding[] {
  return [
    ...hands.tools.map(({ name, key }) => ({
      keys: [key ?? ''],
      says: `tool_${name}`,
      run: () => setExam({ tool: name }),
    })),
    { keys: [' '], says: 'key_contour', run: nextContour },
    { keys: ['['], says: 'key_smaller', run: () => resize(1 / LARGER), repeats: true },
    { keys: [']'], says: 'key_larger', run: () => resize(LARGER), repeats: true },
    { keys: ['Ctrl+z'], says: 'key_undo', run: () => void exchange.undo(), repeats: true },
    { keys: ['Ctrl+Shift+z', 'Ctrl+y'], says: 'key_redo', run: () => void exchange.redo(), repeats: true },
    { keys: ['Ctrl+f'], says: 'key_next_refit', run: () => propagate(exchange, 'next') },
    { keys: ['Ctrl+u'], says: 'key_up_refit', run: () => propagate(exchange, 'basal') },
    { keys: ['Ctrl+d'], says: 'key_down_refit', run: () => propagate(exchange, 'apical') },
    { keys: ['a'], says: 'key_accept', run: () => judge(exchange, 'accepted') },
    { keys: ['x'], says: 'key_reject', run: () => edits.set({ asks: 'reject' }) },
    { keys: ['Escape'], says: 'key_escape', run: () => void hands.cancel() },
  ]
}

/** From the cavity to the epicardium and back; where there is no epicardium, to the next contour. */
function nextContour(): void {
  const { exam } = page.get()
  const view = exam && activeView(exam)
  const names = exam?.study.images.find(({ name }) => name === view?.image)?.contours ?? []
  const { contour } = edits.get()
  const walls = names.filter((name) => name === 'lv' || name === 'epi')
  const among = walls.length === 2 ? walls : names
  const next = among[(among.indexOf(contour) + 1) % Math.max(among.length, 1)]
  if (next) edits.set({ contour: next })
}

function resize(factor: number): void {
  edits.set(({ brush, reach }) => ({
    brush: Math.min(Math.max(brush * factor, SMALLEST_BRUSH), LARGEST_BRUSH),
    reach: Math.min(Math.max(reach * factor, 2), 2 * LARGEST_BRUSH),
  }))
}
