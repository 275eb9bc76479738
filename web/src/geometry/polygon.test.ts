import { expect, test } from 'vitest'
import type { Point } from './point'
import { areaOf, centroidOf, crossesItself, evenly, isInside, lengthOf, nearestOnRing } from './polygon'
import { halfEllipse } from './shapes'

const RECTANGLE: Point[] = [
  [10, 20],
  [10, 24],
  [13, 24],
  [13, 20],
]

test("sizes of a rectangle, whichever way round, in the pixels' unit", () => {
  for (const ring of [RECTANGLE, [...RECTANGLE].reverse()]) {
    expect(areaOf(ring)).toBe(12)
    expect(areaOf(ring, [0.5, 2])).toBe(12)
    expect(lengthOf(ring, [0.5, 2])).toBe(19)
    expect(centroidOf(ring)).toEqual([11.5, 22])
  }
})

test('the centroid of half a disk lies 4 r / (3 pi) over its base', () => {
  const [row, column] = centroidOf(halfEllipse([100, 50], 30, 30))
  expect(row).toBeCloseTo(100 - 40 / Math.PI, 3)
  expect(column).toBeCloseTo(50, 9)
})

test('a bow tie crosses itself, and a rectangle does not', () => {
  expect(
    crossesItself([
      [0, 0],
      [0, 4],
      [3, 0],
      [3, 4],
    ]),
  ).toBe(true)
  expect(crossesItself(RECTANGLE)).toBe(false)
})

test('what lies inside', () => {
  expect(isInside(RECTANGLE, [11, 22])).toBe(true)
  expect(isInside(RECTANGLE, [9, 22])).toBe(false)
  expect(isInside(RECTANGLE, [11, 25])).toBe(false)
})

test('the nearest place may lie on the edge that closes the ring', () => {
  const near = nearestOnRing(RECTANGLE, [11, 19])
  expect(near).toEqual({ edge: 3, share: 2 / 3, point: [11, 20], distance: 1 })
})

test('points at equal distances', () => {
  expect(evenly(RECTANGLE, 7)).toEqual([
    [10, 20],
    [10, 22],
    [10, 24],
    [12, 24],
    [13, 23],
    [13, 21],
    [12, 20],
  ])
})
