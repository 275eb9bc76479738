import { beforeEach, expect, test } from 'vitest'
import { ApiError } from '../api/client'
import type { EditAnswer, Gesture } from '../api/types'
import { page } from '../store/page'
import { pointDrag } from './drags'
import { Exchange } from './exchange'
import { packed } from './packing'
import { contentOf, type Content, putContents } from './planes'
import { openSample, sameLabels } from './sample'
import { EDIT_INITIAL, edits } from './state'

const PLACE = { image: 'four', frame: 0, slice: 0 }

/** A server of one exam: what it was sent, and what it will refuse. */
class Server {
  sent: Gesture[] = []
  version = 3
  refusals: (() => Error)[] = []
  holder: string | null = null
  leases = 0

  lease = (): Promise<{ lease: string; expires: string }> =>
    this.holder
      ? Promise.reject(new ApiError(409, { text: 'held', remedy: null }, { lease: { holder: this.holder } }))
      : Promise.resolve({ lease: `lease ${++this.leases}`, expires: '' })
  holdLease = (): Promise<{ expires: string }> => Promise.resolve({ expires: '' })
  dropLease = (): Promise<void> => Promise.resolve()
  study = () => Promise.resolve({ ...page.get().exam!.study, version: this.version })
  labels = (_: string, image: string) =>
    Promise.resolve({ header: { shape: [], dtype: 'uint8' }, data: page.get().exam!.cines[image]!.labels!.automatic })
  traces = (_: string, image: string) =>
    Promise.resolve(structuredClone(page.get().exam!.cines[image]!.traces!.automatic))

  edit = async (_study: string, _lease: string, base: number, gesture: Gesture): Promise<EditAnswer> => {
    const refusal = this.refusals.shift()
    if (refusal) throw refusal()
    if (base !== this.version) throw new ApiError(409, { text: 'changed', remedy: null }, { version: this.version })
    this.sent.push(gesture)
    this.version++
    const { measures } = page.get().exam!.study
    const isPlane = 'frame' in gesture && 'slice' in gesture
    const content = isPlane ? contentOf(page.get().exam!.cines['four']!, PLACE)! : null
    return {
      version: this.version,
      measures,
      study: {} as EditAnswer['study'],
      undo: this.sent.length,
      redo: 0,
      accepted: gesture.kind === 'flag' ? [{ ...gesture, by: 'Ada', time: '' }] : [],
      phases: { four: { ED: 0, ES: 1 } },
      changed: content
        ? [{ ...PLACE, labels: await packed(content.labels), plane: { ...content.plane, verdict: 'accepted' } }]
        : [],
    }
  }
}

const storage = new Map<string, string>()
const STORAGE = {
  getItem: (key: string) => storage.get(key) ?? null,
  setItem: (key: string, value: string) => void storage.set(key, value),
  removeItem: (key: string) => void storage.delete(key),
}

let server: Server
let later: { call: () => void; delay_ms: number }[]

function exchange(person: string | null = 'Ada'): Exchange {
  return new Exchange({
    study: 's1',
    api: server as never,
    askPerson: () => Promise.resolve(person),
    storage: STORAGE,
    later: (call, delay_ms) => {
      const entry = { call, delay_ms }
      later.push(entry)
      return () => void (later = later.filter((each) => each !== entry))
    },
    now: () => 0,
  })
}

/** A control point moved by some pixels, as a hand does it. */
async function gesture(on: Exchange, by = 3): Promise<Content> {
  const cine = page.get().exam!.cines['four']!
  const before = contentOf(cine, PLACE)!
  on.begin(PLACE)
  const control = before.plane.contours['lv']![4]!
  const drag = pointDrag({ place: PLACE, cine, before, contour: 'lv' }, control, 3)!
  putContents([[PLACE, drag.move([control[0], control[1] + by], false)]])
  on.follow(page.get().exam!.cines['four']!, 0)
  await on.finish(drag.finish()!, PLACE, before)
  return before
}

const shown = () => contentOf(page.get().exam!.cines['four']!, PLACE)!
function expectShown(content: Content): void {
  expect(shown().plane).toEqual(content.plane)
  expect(sameLabels(shown().labels, content.labels)).toBe(true)
}

const offline = (): Error => new TypeError('failed to fetch')

beforeEach(() => {
  storage.clear()
  later = []
  server = new Server()
  edits.set(EDIT_INITIAL)
  openSample()
})

test('a gesture is sent on the current version under a lease, and the answer replaces what was provisional', async () => {
  const on = exchange()
  await gesture(on)
  await gesture(on)
  expect(server.sent.map(({ kind }) => kind)).toEqual(['contour', 'contour'])
  expect(server.leases).toBe(1)
  expect(page.get().exam!.study.version).toBe(5)
  expect(page.get().exam!.provisional).toBeNull()
  expect(shown().plane.verdict).toBe('accepted')
  expect(edits.get()).toMatchObject({ standing: 'ours', waiting: 0 })
  expect(storage.size).toBe(0)
})

test('a flag that was accepted is shown so', async () => {
  const flag = { kind: 'flag', rule: 'open-wall', about: 'LV', text: 'it is open', accepted: true, reason: 'seen' } as const
  await exchange().send(flag)
  expect(page.get().exam!.study.accepted).toMatchObject([{ rule: 'open-wall', by: 'Ada', reason: 'seen' }])
})

test('without the network gestures wait, are stored, and are sent in order when it is back', async () => {
  const on = exchange()
  server.refusals = [offline, offline]
  await gesture(on, 2)
  expect(edits.get()).toMatchObject({ standing: 'offline', waiting: 1 })
  expect(JSON.parse(storage.get('cardiotrace.outbox.s1')!).length).toBe(1)
  expect(page.get().exam!.provisional).not.toBeNull()
  await gesture(on, 4)
  expect(edits.get()).toMatchObject({ standing: 'offline', waiting: 2 })
  await on.retry()
  expect(server.sent.length).toBe(2)
  expect(edits.get()).toMatchObject({ standing: 'ours', waiting: 0 })
  expect(storage.size).toBe(0)
})

test('it tries again by itself, at growing distances', async () => {
  const on = exchange()
  server.refusals = [offline, offline]
  await gesture(on)
  const waits = later.filter(({ delay_ms }) => delay_ms < 20_000).map(({ delay_ms }) => delay_ms)
  expect(waits).toEqual([500])
  later.find(({ delay_ms }) => delay_ms === 500)!.call()
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(later.some(({ delay_ms }) => delay_ms === 1000)).toBe(true)
})

test('a gesture that never left is undone here, and can be done again', async () => {
  const on = exchange()
  server.refusals = [offline, offline, offline]
  await gesture(on)
  const before = await gesture(on, 5)
  const after = shown()
  await on.undo()
  expectShown(before)
  expect(edits.get().waiting).toBe(1)
  await on.redo()
  expectShown(after)
  await on.retry()
  expect(server.sent.length).toBe(2)
})

test('a gesture that was sent is undone by the server', async () => {
  const on = exchange()
  await gesture(on)
  await on.undo()
  expect(server.sent.at(-1)).toEqual({ kind: 'undo' })
})

test('a gesture that is still being packed keeps its place', async () => {
  const on = exchange()
  const before = shown()
  let pack = (_: Gesture): void => undefined
  const packing = new Promise<Gesture>((resolve) => (pack = resolve))
  on.begin(PLACE)
  const brushed = on.finish(packing, PLACE, before)
  expect(edits.get().waiting).toBe(1)
  const moved = gesture(on)
  pack({ kind: 'plane', ...PLACE, labels: await packed(before.labels) })
  await Promise.all([brushed, moved])
  expect(server.sent.map(({ kind }) => kind)).toEqual(['plane', 'contour'])
})

test('a refused gesture is taken back, with the words of the server', async () => {
  const on = exchange()
  server.refusals = [() => new ApiError(422, { text: 'the outline crosses itself', remedy: 'draw it once' }, null)]
  const before = await gesture(on)
  expectShown(before)
  expect(edits.get().said).toBe('the outline crosses itself; draw it once')
  expect(page.get().exam!.provisional).toBeNull()
})

test('on another version what the server has is shown, and the gesture is offered again', async () => {
  const on = exchange()
  server.version = 7
  const before = await gesture(on)
  expect(edits.get()).toMatchObject({ standing: 'changed', waiting: 1 })
  expect(shown().plane.contours).toEqual(before.plane.contours)
  expect(page.get().exam!.study.version).toBe(7)
  expect(on.mayBegin()).toBe(false)
  await on.accept()
  expect(server.sent.length).toBe(1)
  expect(edits.get()).toMatchObject({ standing: 'ours', waiting: 0 })
})

test('while another person holds the exam nothing begins, and they are named', async () => {
  server.holder = 'Grace'
  const on = exchange()
  await gesture(on)
  expect(edits.get()).toMatchObject({ standing: 'other', holder: 'Grace', waiting: 1 })
  expect(on.mayBegin()).toBe(false)
  server.holder = null
  await on.retry()
  expect(server.sent.length).toBe(1)
})

test('a lease that ran out is asked for again; one that is never good is no endless loop', async () => {
  const on = exchange()
  const expired = (): Error => new ApiError(423, { text: 'no lease', remedy: null }, null)
  server.refusals = [expired]
  await gesture(on)
  expect(server.sent.length).toBe(1)
  expect(server.leases).toBe(2)
  server.refusals = Array.from({ length: 50 }, () => expired)
  await gesture(on)
  expect(server.refusals.length).toBeGreaterThan(40)
  expect(edits.get().waiting).toBe(1)
})

test('what an earlier visit left unsent is offered, and nothing else begins before it is decided', async () => {
  storage.set('cardiotrace.outbox.s1', JSON.stringify([{ kind: 'verdict', ...PLACE, verdict: 'accepted', reason: '' }]))
  const on = exchange()
  expect(edits.get()).toMatchObject({ standing: 'left', waiting: 1 })
  expect(on.mayBegin()).toBe(false)
  await on.accept()
  expect(server.sent.map(({ kind }) => kind)).toEqual(['verdict'])
  expect(storage.size).toBe(0)
})

test('dropped, it is gone', async () => {
  storage.set('cardiotrace.outbox.s1', JSON.stringify([{ kind: 'undo' }]))
  const on = exchange()
  on.discard()
  await Promise.resolve().then(() => undefined)
  expect(storage.size).toBe(0)
  expect(on.mayBegin()).toBe(true)
})

test('without a name nothing is sent, and nothing is lost', async () => {
  const on = exchange(null)
  await gesture(on)
  expect(server.sent).toEqual([])
  expect(edits.get()).toMatchObject({ waiting: 1 })
  expect(edits.get().said).not.toBe('')
})
