import { expect, test } from 'vitest'
import { frameAt, timesOf } from './clock'

test('the frame that is shown is the last that was taken', () => {
  const times = [0, 10, 35, 40]
  expect([0, 9.9, 10, 34, 39, 1000].map((at) => frameAt(times, at))).toEqual([0, 0, 1, 1, 2, 3])
})

test('uneven times are kept, from 0, and the last frame has its share of the round', () => {
  const { times_ms, duration_ms, hasTimes } = timesOf(3, [100, 110, 140])
  expect(times_ms).toEqual([0, 10, 40])
  expect(duration_ms).toBe(60)
  expect(hasTimes).toBe(true)
})

test('without times, or with such as do not rise, the film plays but claims none', () => {
  expect(timesOf(3, null)).toEqual({ times_ms: [0, 40, 80], duration_ms: 120, hasTimes: false })
  expect(timesOf(3, [0, 0, 0]).hasTimes).toBe(false)
})
