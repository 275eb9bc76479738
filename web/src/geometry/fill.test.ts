import { expect, test } from 'vitest'
import { curveThrough } from './curve'
import { countOf, fillPolygon } from './fill'
import type { Point } from './point'
import { ellipse, quickest } from './shapes'

test('pixels whose centres lie inside', () => {
  const ring: Point[] = [
    [0.5, 0.5],
    [0.5, 3.5],
    [2.5, 3.5],
    [2.5, 0.5],
  ]
  const { pixels } = fillPolygon(ring, 4, 5)
  expect([...pixels]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
})

test('two polygons with a common edge through pixel centres share no pixel and leave no gap', () => {
  const left = fillPolygon(
    [
      [1, 1],
      [1, 4],
      [6, 4],
      [6, 1],
    ],
    8,
    8,
  ).pixels
  const right = fillPolygon(
    [
      [1, 4],
      [1, 7],
      [6, 7],
      [6, 4],
    ],
    8,
    8,
  ).pixels
  expect(left.some((pixel, at) => pixel && right[at])).toBe(false)
  expect(countOf(left, 1) + countOf(right, 1)).toBe(30)
})

test('a hole by the even-odd rule, and a polygon beyond the image', () => {
  const star: Point[] = [
    [-5, -5],
    [-5, 20],
    [20, 20],
    [20, -5],
  ]
  expect(countOf(fillPolygon(star, 8, 8).pixels, 1)).toBe(64)
  expect(
    countOf(
      fillPolygon(
        [
          [30, 30],
          [30, 40],
          [40, 40],
        ],
        8,
        8,
      ).pixels,
      1,
    ),
  ).toBe(0)
})

test('a plane of 256 x 256 is filled from its curve in less than 2 ms', () => {
  const ring = curveThrough(ellipse([128, 128], [110, 90], 24))
  expect(quickest(() => fillPolygon(ring, 256, 256))).toBeLessThan(2)
})
