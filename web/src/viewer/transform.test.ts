import { expect, test } from 'vitest'
import type { View } from '../store/state'
import { carried, toImage, toScreen, transformOf, zoomed } from './transform'

const IMAGE = { height: 100, width: 200, spacing_mm: [2, 1] as [number, number] }
const VIEW: View = { image: 'a', slice: 0, pin: null, zoom: 1, pan: [0, 0] }
const SIZE = { width: 400, height: 400 }

test('pixels that are twice as high as wide are drawn so', () => {
  const transform = transformOf(IMAGE, VIEW, SIZE)
  expect(transform.down).toBeCloseTo(2 * transform.across)
  expect(transform).toMatchObject({ across: 2, down: 4, left: 0, top: 0 })
  expect(toScreen(transform, [0, 0])).toEqual({ x: 1, y: 2 })
})

test('the way back is the way there', () => {
  const transform = transformOf(IMAGE, { zoom: 3.3, pan: [7, -4] }, SIZE)
  const [row, column] = toImage(transform, toScreen(transform, [12.25, 99.5]))
  expect(row).toBeCloseTo(12.25)
  expect(column).toBeCloseTo(99.5)
})

test('zooming holds what is under the pointer', () => {
  const at = { x: 310, y: 77 }
  const before = toImage(transformOf(IMAGE, VIEW, SIZE), at)
  const next = zoomed(IMAGE, VIEW, SIZE, at, 2)
  const after = toImage(transformOf(IMAGE, next, SIZE), at)
  expect(next.zoom).toBe(2)
  expect(after[0]).toBeCloseTo(before[0])
  expect(after[1]).toBeCloseTo(before[1])
})

test('what two fingers took hold of stays under them, also where they go', () => {
  const [from, to] = [{ x: 100, y: 90 }, { x: 160, y: 50 }]
  const before = toImage(transformOf(IMAGE, VIEW, SIZE), from)
  const next = carried(IMAGE, VIEW, SIZE, from, to, 1.5)
  const after = toImage(transformOf(IMAGE, next, SIZE), to)
  expect(next.zoom).toBe(1.5)
  expect(after[0]).toBeCloseTo(before[0])
  expect(after[1]).toBeCloseTo(before[1])
})
