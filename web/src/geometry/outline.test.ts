import { expect, test } from 'vitest'
import { curveThrough } from './curve'
import { fillPolygon, type Mask } from './fill'
import { controlsOf, outlineOf, outlinesOf } from './outline'
import { areaOf } from './polygon'
import { ellipse } from './shapes'

function maskOf(rows: string[]): Mask {
  return {
    height: rows.length,
    width: rows[0]!.length,
    pixels: Uint8Array.from(rows.join(''), (letter) => (letter === '#' ? 1 : 0)),
  }
}

test('the square of n x n pixels encloses n^2 - 1/2', () => {
  expect(areaOf(outlineOf(maskOf(['....', '.##.', '.##.', '....'])))).toBe(3.5)
})

test('borders of holes are lines of their own, and pixels at the edge of the image are closed around', () => {
  const lines = outlinesOf(maskOf(['#####', '#...#', '#.#.#', '#...#', '#####']))
  expect(lines.map((line) => areaOf(line))).toEqual([24.5, 8.5, 0.5])
})

test('pixels that touch at a corner are two pieces', () => {
  expect(outlinesOf(maskOf(['#.', '.#'])).length).toBe(2)
})

test('an empty mask has no outline and no control points', () => {
  expect(outlineOf(maskOf(['...', '...']))).toEqual([])
  expect(controlsOf([])).toEqual([])
})

test('a curve fitted to a mask makes that mask again', () => {
  const mask = fillPolygon(curveThrough(ellipse([120, 110], [80, 40], 16)), 256, 256)
  const controls = controlsOf(outlineOf(mask))
  expect(controls.length).toBe(24)
  const again = fillPolygon(curveThrough(controls), 256, 256)
  let [both, either] = [0, 0]
  mask.pixels.forEach((pixel, at) => {
    both += 2 * (pixel & again.pixels[at]!)
    either += pixel + again.pixels[at]!
  })
  expect(both / either).toBeGreaterThan(0.99)
})
