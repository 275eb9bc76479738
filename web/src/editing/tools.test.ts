import { expect, test } from 'vitest'
import type { Gesture } from '../api/types'
import type { Point } from '../geometry/point'
import { page } from '../store/page'
import type { Tool, Viewport } from '../viewer/viewport'
import type { Exchange } from './exchange'
import { contentOf } from './planes'
import { openSample, sameLabels } from './sample'
import { EDIT_INITIAL, edits } from './state'
import { Hands } from './tools'

/** Hands on the sample, and what they gave away. */
function begin(isFree = true) {
  openSample()
  edits.set(EDIT_INITIAL)
  const gestures: Gesture[] = []
  const exchange = {
    mayBegin: () => isFree,
    begin: () => undefined,
    follow: () => undefined,
    release: () => undefined,
    finish: async (gesture: Gesture | Promise<Gesture>) => void gestures.push(await gesture),
  } as unknown as Exchange
  const hands = new Hands(
    () => exchange,
    () => undefined,
  )
  const viewport = {
    index: 0,
    view: () => ({ image: 'four', slice: 0 }),
    cine: () => page.get().exam!.cines['four']!,
    frame: () => 0,
    scale: () => 2,
  } as unknown as Viewport
  const tool = (name: string): Tool => hands.tools.find((each) => each.name === name)!
  return { hands, gestures, viewport, tool }
}

const PLACE = { image: 'four', frame: 0, slice: 0 }
const shown = () => contentOf(page.get().exam!.cines['four']!, PLACE)!
const controlsOf = (contour: string): readonly Point[] => shown().plane.contours[contour]!

function pointer(more: Partial<PointerEvent> = {}): PointerEvent {
  return { button: 0, pointerType: 'mouse', timeStamp: 0, clientX: 0, clientY: 0, ...more } as PointerEvent
}

function click(tool: Tool, viewport: Viewport, at: Point, more: Partial<PointerEvent> = {}): void {
  tool.down!(viewport, at, pointer(more))
  tool.up!(viewport, at, pointer(more))
}

test('a click on a point leaves the plane as it was, and nobody edited it', () => {
  const { viewport, tool, gestures } = begin()
  const before = shown()
  click(tool('select'), viewport, controlsOf('lv')[4]!)
  expect(gestures).toEqual([])
  expect(shown().plane).toEqual(before.plane)
  expect(sameLabels(shown().labels, before.labels)).toBe(true)
})

test('a finger takes hold from farther off than a mouse', () => {
  for (const [pointerType, isHeld] of [
    ['mouse', false],
    ['touch', true],
  ] as const) {
    const { viewport, tool, hands } = begin()
    const [row, column] = controlsOf('lv')[4]!
    tool('select').down!(viewport, [row, column + 8], pointer({ pointerType }))
    expect(hands.isBusy).toBe(isHeld)
  }
})

test('Alt and a click add a point where the curve is, and take one away where it is', async () => {
  const { viewport, tool, gestures } = begin()
  const [a, b] = [controlsOf('lv')[4]!, controlsOf('lv')[5]!]
  click(tool('select'), viewport, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], { altKey: true })
  expect(controlsOf('lv').length).toBe(21)
  click(tool('select'), viewport, controlsOf('lv')[5]!, { altKey: true })
  await Promise.resolve()
  expect(gestures.map((gesture) => (gesture.kind === 'contour' ? gesture.points.length : 0))).toEqual([21, 20])
})

test('two clicks in one place are a double one, two in different places are not', () => {
  const { viewport, tool } = begin()
  const at = controlsOf('lv')[4]!
  click(tool('select'), viewport, at, { timeStamp: 100 })
  click(tool('select'), viewport, at, { timeStamp: 220, clientX: 40 })
  expect(controlsOf('lv').length).toBe(20)
  click(tool('select'), viewport, at, { timeStamp: 340, clientX: 41 })
  expect(controlsOf('lv').length).toBe(19)
})

test('a touch of another contour takes it in hand', () => {
  const { viewport, tool } = begin()
  click(tool('select'), viewport, controlsOf('epi')[6]!)
  expect(edits.get().contour).toBe('epi')
})

test('a gesture that is dropped leaves nothing', () => {
  const { viewport, tool, hands, gestures } = begin()
  const before = shown()
  const [row, column] = controlsOf('lv')[4]!
  tool('push').down!(viewport, [row, column], pointer())
  tool('push').move!(viewport, [row, column - 6], pointer())
  expect(sameLabels(shown().labels, before.labels)).toBe(false)
  expect(hands.cancel()).toBe(true)
  tool('push').up!(viewport, [row, column - 6], pointer())
  expect(sameLabels(shown().labels, before.labels)).toBe(true)
  expect(gestures).toEqual([])
})

test('where somebody else edits nothing is taken in hand', () => {
  const { viewport, tool, hands } = begin(false)
  tool('select').down!(viewport, controlsOf('lv')[4]!, pointer())
  expect(hands.isBusy).toBe(false)
})
