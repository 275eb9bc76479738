/** Which key does what: those of the viewer, and those that the editing adds. */

import { page, setExam } from '../store/page'
import type { Editing } from '../editing'
import type { Layout } from '../store/state'
import { goToPhase, resetView, setLayout, shownFrame, stepFrame, stepTowardsApex, toggleLayer, toggleLayers } from './actions'
import { changeSpeed, togglePlay } from './clock'
import { VIEWER_TOOLS } from './tools'
import type { Binding } from './viewport'

const LAYOUT_KEYS: readonly [string, Layout][] = [
  ['Shift+1', '1'],
  ['Shift+2', '2'],
  ['Shift+3', 'review'],
  ['Shift+4', '4'],
  ['Shift+5', 'montage'],
]

/** A key with what is held beside it, in one spelling. Digits by their place, since Shift makes other signs of them. */
export function nameOfKey(event: KeyboardEvent): string {
  const digit = /^Digit(\d)$/.exec(event.code)
  const letter = event.altKey ? /^Key([A-Z])$/.exec(event.code) : null // Alt writes other letters on some keyboards
  const key = digit?.[1] ?? letter?.[1]?.toLowerCase() ?? (event.key.length === 1 ? event.key.toLowerCase() : event.key)
  const isSign = key.length === 1 && !/[a-z0-9 ]/.test(key) // Shift is part of "?" and "["
  const held = [event.altKey && 'Alt', (event.ctrlKey || event.metaKey) && 'Ctrl', event.shiftKey && !isSign && 'Shift']
  return [...held.filter(Boolean), key].join('+')
}

export function bindingsOf(editing: Editing): Binding[] {
  const setPhase = (phase: 'ED' | 'ES') => () => {
    const shown = shownFrame()
    if (shown) void editing.send({ kind: 'key-frame', image: shown.image, phase, frame: shown.frame })
  }
  return [
    { keys: ['p'], says: 'key_play', run: togglePlay },
    { keys: ['ArrowLeft'], says: 'key_back', run: () => stepFrame(-1), repeats: true },
    { keys: ['ArrowRight'], says: 'key_on', run: () => stepFrame(1), repeats: true },
    { keys: ['ArrowDown'], says: 'key_apical', run: () => stepTowardsApex(1), repeats: true },
    { keys: ['ArrowUp'], says: 'key_basal', run: () => stepTowardsApex(-1), repeats: true },
    { keys: ['Alt+ArrowLeft'], says: 'key_slower', run: () => changeSpeed(-1), repeats: true },
    { keys: ['Alt+ArrowRight'], says: 'key_faster', run: () => changeSpeed(1), repeats: true },
    { keys: ['d'], says: 'key_ed', run: () => goToPhase('ED') },
    { keys: ['s'], says: 'key_es', run: () => goToPhase('ES') },
    { keys: ['Shift+d'], says: 'key_ed_all', run: () => goToPhase('ED', true) },
    { keys: ['Shift+s'], says: 'key_es_all', run: () => goToPhase('ES', true) },
    { keys: ['Alt+d'], says: 'key_ed_here', run: setPhase('ED') },
    { keys: ['Alt+s'], says: 'key_es_here', run: setPhase('ES') },
    { keys: ['h'], says: 'key_hide', run: toggleLayers },
    { keys: ['l'], says: 'key_labels', run: () => toggleLayer('labels') },
    { keys: ['k'], says: 'key_disks', run: () => toggleLayer('disks') },
    { keys: ['r'], says: 'key_reset', run: resetView },
    ...LAYOUT_KEYS.map(([key, layout]) => ({ keys: [key], says: `key_layout_${layout}`, run: () => setLayout(layout) })),
    ...VIEWER_TOOLS.map(({ name, key }) => ({ keys: [key!], says: `tool_${name}`, run: () => setExam({ tool: name }) })),
    { keys: ['Delete'], says: 'key_delete_distance', run: () => setExam(({ distances }) => ({ distances: distances.slice(0, -1) })) },
    { keys: ['Ctrl+b'], says: 'key_bullseye', run: () => setExam({ panel: 'wall' }) },
    ...editing.bindings,
    { keys: ['?'], says: 'key_help', run: () => page.set({ dialog: 'keys' }) },
  ]
}

const takesText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="range"])'))

/** Arrows move a slider that has the focus, Space and Enter press a button that has it. */
function isTaken(event: KeyboardEvent): boolean {
  const { target } = event
  if (!(target instanceof HTMLElement)) return false
  if (takesText(target)) return true
  if (target.matches('[role="slider"], input[type="range"], [role="tab"]') && event.key.startsWith('Arrow')) return true
  return target.matches('button, a, summary') && (event.key === ' ' || event.key === 'Enter')
}

/** Listens until it is told to end. */
export function listenForKeys(bindings: () => readonly Binding[]): () => void {
  const hear = (event: KeyboardEvent) => {
    if (isTaken(event) || page.get().dialog || event.isComposing) return
    const name = nameOfKey(event)
    const found = bindings().find(({ keys }) => keys.includes(name))
    if (!found || (event.repeat && !found.repeats)) return
    event.preventDefault()
    found.run(event)
  }
  window.addEventListener('keydown', hear)
  return () => window.removeEventListener('keydown', hear)
}
