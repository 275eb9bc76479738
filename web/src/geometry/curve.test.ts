import { expect, test } from 'vitest'
import { curveThrough, influence, pointOnCurve, STEPS } from './curve'
import type { Point } from './point'
import { areaOf, crossesItself } from './polygon'
import { ellipse } from './shapes'

test('the curve goes through its control points, in order', () => {
  const controls = ellipse([100, 120], [60, 30], 12)
  const ring = curveThrough(controls)
  expect(ring.length).toBe(12 * STEPS)
  controls.forEach((control, index) => expect(ring[index * STEPS]).toEqual(control))
})

test('sixteen points on a circle enclose its area within a thousandth', () => {
  const area = areaOf(curveThrough(ellipse([50, 50], [40, 40], 16)))
  expect(Math.abs(area / (Math.PI * 1600) - 1)).toBeLessThan(1e-3)
})

test('points that lie unevenly make no loop', () => {
  const crowded: Point[] = [
    [0, 0],
    [0, 1],
    [1, 1.2],
    [60, 2],
    [60, 40],
    [0, 40],
  ]
  expect(crossesItself(curveThrough(crowded))).toBe(false)
})

test('a repeated point counts once, and two points are no curve', () => {
  const controls = ellipse([50, 50], [40, 20], 12)
  const repeated = [...controls.slice(0, 3), controls[2]!, ...controls.slice(3)]
  expect(curveThrough(repeated)).toEqual(curveThrough(controls))
  expect(curveThrough(controls.slice(0, 2))).toEqual([])
})

test('the influence of control points makes the curve', () => {
  const controls = ellipse([50, 50], [40, 20], 12).map(([row, column], k): Point => [row + (k % 3), column - (k % 2)])
  const sum = influence(controls, 11, 0.3).reduce(
    (total, [at, share]) => [total[0] + share * controls[at]![0], total[1] + share * controls[at]![1]] as const,
    [0, 0] as Point,
  )
  const point = pointOnCurve(controls, 11, 0.3)
  expect(sum[0]).toBeCloseTo(point[0], 9)
  expect(sum[1]).toBeCloseTo(point[1], 9)
})

test('a control point moves only the two spans on either side of it', () => {
  const controls = ellipse([50, 50], [40, 20], 12)
  const changed = controls.map((point, index): Point => (index === 5 ? [point[0] + 7, point[1]] : point))
  const [before, after] = [curveThrough(controls), curveThrough(changed)]
  const moved = before.map((point, at) => (point[0] === after[at]![0] && point[1] === after[at]![1] ? null : at))
  const places = moved.filter((at) => at !== null)
  expect(Math.min(...places)).toBeGreaterThan(3 * STEPS)
  expect(Math.max(...places)).toBeLessThan(7 * STEPS)
})
