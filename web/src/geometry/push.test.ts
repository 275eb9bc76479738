import { expect, test } from 'vitest'
import { curveLength, farthestSimple, isSimple, MOST_CONTROLS, spanLengths } from './controls'
import { curveThrough } from './curve'
import { distance, type Point } from './point'
import { areaOf } from './polygon'
import { grip, pushed, respread, slip } from './push'
import { ellipse, quickest } from './shapes'

const CONTROLS = ellipse([120, 110], [80, 40], 20)

test('the curve stays under the hand, wherever it was grabbed', () => {
  for (const at of [
    [120, 150],
    [40, 110],
    [60, 80],
    [155, 145],
  ] as Point[]) {
    const held = grip(CONTROLS, at, 15)
    const hand: Point = [held.place.point[0] + 4, held.place.point[1] + 6]
    expect(slip(pushed(held, [4, 6]), hand)).toBeLessThan(0.3)
  }
})

test('the opposite wall stays exactly where it is', () => {
  const held = grip(CONTROLS, [120, 150], 15)
  const after = pushed(held, [0, -12])
  const opposite = CONTROLS.findIndex(([, column]) => column === Math.min(...CONTROLS.map(([, other]) => other)))
  expect(after[opposite]).toEqual(CONTROLS[opposite])
  expect(after.filter((point, at) => distance(point, CONTROLS[at]!) > 0).length).toBeGreaterThan(2)
})

test('a push through the opposite wall stops before the curve crosses itself', () => {
  const held = grip(CONTROLS, [120, 150], 12)
  for (const far of [60, 90, 200]) {
    const after = pushed(held, [0, -far])
    expect(isSimple(after)).toBe(true)
    expect(slip(after, [120, 150])).toBeGreaterThan(20)
  }
})

test('a way back undoes the push to the bit', () => {
  const held = grip(CONTROLS, [60, 80], 15)
  expect(pushed(held, [0, 0])).toEqual(CONTROLS)
})

test('points are spread evenly again where the curve was drawn out, and nowhere else', () => {
  const held = grip(CONTROLS, [120, 150], 15)
  const after = pushed(held, [0, 40])
  const spread = respread(held, after)
  expect(spread.length).toBeGreaterThan(20)
  expect(spread.length).toBeLessThanOrEqual(MOST_CONTROLS)
  const spans = spanLengths(spread)
  expect(Math.max(...spans) / Math.min(...spans)).toBeLessThan(
    Math.max(...spanLengths(after)) / Math.min(...spanLengths(after)),
  )
  expect(Math.abs(curveLength(spread) / curveLength(after) - 1)).toBeLessThan(0.02)
  const kept = CONTROLS.filter((_, at) => held.shares[at] === 0)
  for (const point of kept) expect(spread).toContainEqual(point)
})

test('a push that draws nothing out leaves every point where the hand left it', () => {
  const held = grip(CONTROLS, [120, 150], 15)
  const after = pushed(held, [2, -6])
  expect(respread(held, after)).toEqual(after)
})

test('points that were pushed together are fewer, and the curve stays', () => {
  const crowded = ellipse([120, 110], [80, 40], 24)
  const held = grip(crowded, [40, 110], 40)
  const after = pushed(held, [70, 0])
  const spread = respread(held, after)
  expect(spread.length).toBeLessThanOrEqual(24)
  expect(Math.abs(areaOf(curveThrough(spread)) / areaOf(curveThrough(after)) - 1)).toBeLessThan(0.01)
})

test('a curve that already crosses itself may be mended', () => {
  const knot: Point[] = [
    [0, 0],
    [0, 40],
    [30, 0],
    [30, 40],
    [60, 40],
    [60, 0],
  ]
  expect(farthestSimple(knot, () => CONTROLS)).toBe(CONTROLS)
})

test('a push of a curve of 24 points takes less than 4 ms, also where it is held back', () => {
  const held = grip(ellipse([120, 110], [80, 40], 24), [120, 150], 12)
  expect(quickest(() => pushed(held, [0, -95]))).toBeLessThan(4)
})
