import { expect, test } from 'vitest'
import { paintStroke } from './brush'
import { countOf, type Mask } from './fill'

const plane = (): Mask => ({ height: 60, width: 80, pixels: new Uint8Array(60 * 80) })

test('a dab paints the pixels within its radius', () => {
  const mask = plane()
  const changed = paintStroke(mask, [30, 40], [30, 40], 10, () => 1)
  expect(changed).toBe(countOf(mask.pixels, 1))
  expect(Math.abs(changed - Math.PI * 100)).toBeLessThan(8)
})

test('the smallest brush paints the pixel under it', () => {
  const mask = plane()
  expect(paintStroke(mask, [30.4, 40.4], [30.4, 40.4], 0.1, () => 1)).toBe(1)
  expect(mask.pixels[30 * 80 + 40]).toBe(1)
})

test('a stroke has no gaps, and only changes what it is meant to', () => {
  const mask = plane()
  mask.pixels.fill(3, 0, 30 * 80)
  paintStroke(mask, [10, 5], [50, 75], 4, (value) => (value === 3 ? 1 : value))
  expect(countOf(mask.pixels, 1)).toBeGreaterThan(200)
  expect([...mask.pixels.subarray(30 * 80)].every((value) => value === 0)).toBe(true)
  for (let row = 10; row < 30; row++) expect(mask.pixels[row * 80 + Math.round(5 + ((row - 10) / 40) * 70)]).toBe(1)
})

test('a stroke beyond the image paints what is in it', () => {
  const mask = plane()
  expect(paintStroke(mask, [-3, -3], [-3, 100], 5, () => 2)).toBeGreaterThan(100)
})
