/** Polygons to masks, by the rule of the server (`cardiotrace.geometry.polygon.fill_polygon`), pixel for pixel. */

import type { Point } from './point'

/** A plane of pixels, row by row. */
export interface Mask {
  readonly height: number
  readonly width: number
  readonly pixels: Uint8Array
}

/**
 * Pixels whose centre lies inside a closed polygon, by the even-odd rule.
 *
 * A centre exactly on an edge belongs to one side only, so that polygons that share an edge share no pixel and leave no
 * gap. The polygon may reach beyond the image.
 */
export function fillPolygon(ring: readonly Point[], height: number, width: number): Mask {
  const pixels = new Uint8Array(height * width)
  if (ring.length < 3) return { height, width, pixels }
  // Each edge flips the first pixel to its right in every row it crosses; a running parity along the row does the rest.
  for (let index = 0; index < ring.length; index++) flipAlong(ring[index]!, ring[(index + 1) % ring.length]!)
  for (let row = 0; row < height; row++) {
    let inside = 0
    for (let at = row * width; at < (row + 1) * width; at++) {
      inside ^= pixels[at]!
      pixels[at] = inside
    }
  }
  return { height, width, pixels }

  function flipAlong(start: Point, end: Point): void {
    const [upper, lower] = start[0] < end[0] ? [start[0], end[0]] : [end[0], start[0]]
    // Half open, so that a corner on a row belongs to one of its two edges and horizontal edges to none.
    const first = Math.max(Math.ceil(upper), 0)
    const stop = Math.min(Math.ceil(lower), height)
    for (let row = first; row < stop; row++) {
      const share = (row - start[0]) / (end[0] - start[0])
      const column = Math.max(Math.ceil(start[1] + share * (end[1] - start[1])), 0)
      if (column < width) pixels[row * width + column]! ^= 1
    }
  }
}

/** A part of a plane. */
export interface Box {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** The smallest box of pixels in a plane that holds everything points enclose. */
export function boxAround(points: readonly Point[], height: number, width: number): Box {
  let [top, left, bottom, right] = [height, width, 0, 0]
  for (const [row, column] of points) {
    top = Math.min(top, Math.floor(row))
    left = Math.min(left, Math.floor(column))
    bottom = Math.max(bottom, Math.ceil(row) + 1)
    right = Math.max(right, Math.ceil(column) + 1)
  }
  ;[top, left] = [Math.max(top, 0), Math.max(left, 0)]
  return {
    top,
    left,
    height: Math.max(Math.min(bottom, height) - top, 0),
    width: Math.max(Math.min(right, width) - left, 0),
  }
}

/** `fillPolygon` of a part of a plane: the same pixels, less work. */
export function fillBox(ring: readonly Point[], box: Box): Uint8Array {
  const shifted = ring.map(([row, column]): Point => [row - box.top, column - box.left])
  return fillPolygon(shifted, box.height, box.width).pixels
}

/** How many pixels of a plane hold a value. */
export function countOf(pixels: Uint8Array, value: number): number {
  let count = 0
  for (const pixel of pixels) if (pixel === value) count++
  return count
}
