import { expect, test } from 'vitest'
import type { QuantityAgreement } from '../api/types'
import { plotOf, ticksOf } from './plot'

const row = (pairs: [string, number, number][], more: Partial<QuantityAgreement> = {}): QuantityAgreement => ({
  what: 'quantity',
  first: 'A',
  second: 'B',
  name: 'left_ventricular_ejection_fraction_percent',
  exams: pairs.length,
  bias: null,
  sd: null,
  lower_limit: null,
  upper_limit: null,
  mean_absolute_error: null,
  icc: null,
  pairs,
  ...more,
})

test('a point stands at the mean of both readers, as high as the second is above the first', () => {
  const { points, lines, box } = plotOf(row([['x', 50, 54], ['y', 60, 58]], { bias: 1, lower_limit: -7, upper_limit: 9 }))
  const [x, y] = points
  expect(x!.x).toBeLessThan(y!.x)
  expect(x!.y).toBeLessThan(y!.y) // 4 above, 2 below
  expect(lines.map(({ kind, value }) => [kind, value])).toEqual([['limit', 9], ['bias', 1], ['limit', -7]])
  for (const { y: height } of [...points, ...lines]) expect(height > box.top && height < box.bottom).toBe(true)
  const perUnit = (lines[2]!.y - lines[0]!.y) / 16
  expect(points[0]!.y).toBeCloseTo(lines[1]!.y - 3 * perUnit) // 4 is 3 above the bias
})

test('one exam has no limits, and is drawn all the same', () => {
  const { points, lines } = plotOf(row([['x', 50, 50]], { bias: 0 }))
  expect(lines.length).toBe(1)
  expect(points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true)
})

test('ticks are round', () => {
  expect(ticksOf(-7.4, 9.3)).toEqual([-5, 0, 5])
  expect(ticksOf(49.9, 51.1)).toEqual([50, 50.5, 51])
})
