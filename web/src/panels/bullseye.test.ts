import { expect, test } from 'vitest'
import { arcOf, colourAt } from './bullseye'

test('segments 1, 7 and 13 are anterior, at the top; 3 and 9 lie on the septal side', () => {
  for (const segment of [1, 7, 13]) expect((arcOf(segment)[0] + arcOf(segment)[1]) / 2).toBe(0)
  for (const segment of [3, 9]) expect((arcOf(segment)[0] + arcOf(segment)[1]) / 2).toBe(120)
  expect((arcOf(14)[0] + arcOf(14)[1]) / 2).toBe(90)
  expect(arcOf(17)).toEqual([0, 360])
})

test('colours run from end to end and stay there beyond', () => {
  const scale = { low: 0, high: 10, stops: [[0, 0, 0], [100, 100, 100], [200, 0, 0]] as [number, number, number][] }
  expect(colourAt(scale, -5)).toEqual([0, 0, 0])
  expect(colourAt(scale, 2.5)).toEqual([50, 50, 50])
  expect(colourAt(scale, 99)).toEqual([200, 0, 0])
})
