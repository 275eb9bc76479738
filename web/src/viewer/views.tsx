/** The grid of views. */

import { useEffect, useRef } from 'preact/hooks'
import { Curves } from '../panels/curves'
import type { Editing } from '../editing'
import { cineOf, frameOf, pinOf } from '../store/exam'
import { page, setExam, useFilm, usePage } from '../store/page'
import type { ExamState, View } from '../store/state'
import { useWords, type Key } from '../words'
import { number } from '../words/format'
import { setView, stepFrame, stepSlice } from './actions'
import { drawSoon, panes } from './drawing'
import { Pane } from './pane'
import { changeWindow, PAN, VIEWER_TOOLS, WINDOW } from './tools'
import { carried, zoomed } from './transform'
import type { Tool } from './viewport'

/** The tool for a button of the mouse. */
function toolOf(event: PointerEvent, editing: Editing): Tool {
  if (event.button === 1) return PAN
  if (event.button === 2) return WINDOW
  const name = page.get().exam?.tool
  return [...VIEWER_TOOLS, ...editing.tools].find((tool) => tool.name === name) ?? WINDOW
}

/** Two fingers zoom and move. */
class Pinch {
  private fingers = new Map<number, { x: number; y: number }>()

  down(event: PointerEvent): boolean {
    if (event.pointerType !== 'touch') return false
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    return this.fingers.size === 2
  }

  up(event: PointerEvent): void {
    this.fingers.delete(event.pointerId)
  }

  move(event: PointerEvent, pane: Pane): boolean {
    if (this.fingers.size !== 2 || !this.fingers.has(event.pointerId)) return false
    const before = this.spread()
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    const after = this.spread()
    const inside = ({ x, y }: { x: number; y: number }) => pane.inside({ clientX: x, clientY: y })
    const by = after.wide / (before.wide || 1)
    setView((view) => carried(pane.cine().info, view, pane.sized(), inside(before), inside(after), by), pane.index)
    return true
  }

  private spread(): { x: number; y: number; wide: number } {
    const [first, second] = [...this.fingers.values()] as [{ x: number; y: number }, { x: number; y: number }]
    return {
      x: (first.x + second.x) / 2,
      y: (first.y + second.y) / 2,
      wide: Math.hypot(first.x - second.x, first.y - second.y),
    }
  }
}

function listen(pane: Pane, editing: Editing): () => void {
  const { element } = pane
  const pinch = new Pinch()
  let held: Tool | null = null
  /** What a hand had begun is as if it had not. */
  const drop = () => {
    held?.leave?.()
    held = null
  }
  const down = (event: PointerEvent) => {
    if (page.get().exam?.active !== pane.index) setExam({ active: pane.index })
    element.focus({ preventScroll: true })
    if (pinch.down(event)) {
      drop()
      return
    }
    held = toolOf(event, editing)
    element.setPointerCapture(event.pointerId)
    held.down?.(pane, pane.pointed(event), event)
    if (event.button !== 0) event.preventDefault()
  }
  const move = (event: PointerEvent) => {
    if (pinch.move(event, pane)) return
    const tool = held ?? toolOf({ button: 0 } as PointerEvent, editing)
    tool.move?.(pane, pane.pointed(event), event)
  }
  const up = (event: PointerEvent) => {
    pinch.up(event)
    held?.up?.(pane, pane.pointed(event), event)
    held = null
  }
  /** The system takes the pointer away, as for a gesture of its own: nobody let go. */
  const cancel = (event: PointerEvent) => {
    pinch.up(event)
    drop()
  }
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const by = Math.sign(event.deltaY || event.deltaX)
    const view = pane.view()
    setExam({ active: pane.index })
    if (event.ctrlKey && event.shiftKey) changeWindow(view.image, -8 * by, 0)
    else if (event.ctrlKey || event.metaKey) {
      setView((before) => zoomed(pane.cine().info, before, pane.sized(), pane.inside(event), by > 0 ? 1 / 1.15 : 1.15), pane.index)
    } else if (event.shiftKey || pane.cine().info.slices === 1) stepFrame(by)
    else stepSlice(by)
  }
  const still = (event: Event) => event.preventDefault()
  const heard: [string, (event: never) => void][] = [
    ['pointerdown', down],
    ['pointermove', move],
    ['pointerup', up],
    ['pointercancel', cancel],
    ['contextmenu', still],
  ]
  for (const [name, hear] of heard) element.addEventListener(name, hear as EventListener)
  element.addEventListener('wheel', wheel, { passive: false })
  return () => {
    for (const [name, hear] of heard) element.removeEventListener(name, hear as EventListener)
    element.removeEventListener('wheel', wheel)
  }
}

const shown = (exam: ExamState | null, index: number): View | undefined => exam?.views[index]

function Corners({ index, isSmall }: { index: number; isSmall: boolean }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const view = usePage(({ exam }) => shown(exam, index))
  const info = usePage(({ exam }) => view && exam && cineOf(exam, view)?.info)
  const frame = useFilm(({ exam }) => {
    const now = shown(exam, index)
    return now && exam ? frameOf(exam, now) : 0
  })
  const pin = usePage(({ exam }) => {
    const now = shown(exam, index)
    return now && exam ? pinOf(exam, now) : null
  })
  const cine = usePage(({ exam }) => {
    const now = shown(exam, index)
    return now && exam ? exam.cines[now.image] : undefined
  })
  const window = usePage(({ exam }) => exam?.window[shown(exam, index)?.image ?? ''])
  if (!view || !info || !cine) return null
  const phase = pin ?? (info.phases.ED === frame ? 'ED' : info.phases.ES === frame ? 'ES' : null)
  const plane = cine.traces?.current.planes[frame]?.[view.slice]
  const time = cine.hasTimes ? `${number(cine.times_ms[frame] ?? 0, 0, language)} ms` : ''
  const [low, high] = window ?? cine.window
  if (isSmall) return <span class="corner top left">{view.slice + 1}</span>
  return (
    <>
      <span class="corner top left">
        <b>{info.view}</b>
        {info.slices > 1 && <span> {say('slice_of', { n: view.slice + 1, all: info.slices })}</span>}
        {phase && <span class={`phase ${phase}`}>{say(phase === 'ED' ? 'ed' : 'es')}</span>}
        {plane?.edited && <span class="mark">{say('edited')}</span>}
        {plane?.verdict && <span class={`mark ${plane.verdict}`}>{say(plane.verdict)}</span>}
      </span>
      <span class="corner top right">
        {frame + 1}/{info.frames} {time}
      </span>
      <span class="corner bottom left">
        {say('window_short')} {number(high - low, 0, language)} · {number((high + low) / 2, 0, language)}
        {view.zoom !== 1 && ` · ${number(view.zoom, 1, language)}×`}
      </span>
      {!info.spacing_mm && <span class="corner bottom right doubt">{say('no_pixel_size')}</span>}
    </>
  )
}

function ViewPane({ index, editing, isSmall }: { index: number; editing: Editing; isSmall: boolean }) {
  const say = useWords()
  const place = useRef<HTMLDivElement>(null)
  const isActive = usePage(({ exam }) => exam?.active === index)
  const tool = usePage(({ exam }) => exam?.tool)
  const label = usePage(({ exam }) => {
    const view = shown(exam, index)
    const name = view && exam ? (cineOf(exam, view)?.info.view ?? '') : ''
    return [name, view && exam && pinOf(exam, view), isSmall && view ? view.slice + 1 : null].filter(Boolean).join(' ')
  })
  useEffect(() => {
    const pane = new Pane(place.current!, index)
    panes.add(pane)
    const deaf = listen(pane, editing)
    const detached = editing.attach(pane)
    return () => {
      detached()
      deaf()
      panes.delete(pane)
      pane.close()
    }
  }, [index, editing])
  const cursor = [...VIEWER_TOOLS, ...editing.tools].find(({ name }) => name === tool)?.cursor ?? 'default'
  return (
    <div
      ref={place}
      class={`view${isActive ? ' active' : ''}`}
      style={{ cursor }}
      tabIndex={0}
      role="group"
      aria-label={say('view_named', { name: label })}
      onFocus={() => isActive || setExam({ active: index })}
    >
      <Corners index={index} isSmall={isSmall} />
    </div>
  )
}

/** So many columns that the tiles come out nearly square. */
const columnsOf = (count: number): number => Math.max(1, Math.ceil(Math.sqrt(count * 1.4)))

export function Views({ editing }: { editing: Editing }) {
  const say = useWords()
  const layout = usePage(({ exam }) => exam?.layout ?? '1')
  const count = usePage(({ exam }) => exam?.views.length ?? 0)
  const said = usePage(({ exam }) => exam?.said ?? null)
  useEffect(() => page.subscribe(drawSoon), [])
  const isSmall = layout === 'montage'
  const columns = isSmall ? columnsOf(count) : undefined
  return (
    <section class={`views layout-${layout}`} aria-label={say('views')} style={columns ? { gridTemplateColumns: `repeat(${columns}, 1fr)` } : {}}>
      {Array.from({ length: count }, (_, index) => (
        <ViewPane key={`${layout} ${index}`} index={index} editing={editing} isSmall={isSmall} />
      ))}
      {layout === 'review' && <Curves />}
      {said && (
        <p class="said" role="status">
          {say(said as Key)}
        </p>
      )}
    </section>
  )
}
