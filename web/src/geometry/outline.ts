/** Masks to outlines: level lines at one half, as the server finds them, and control points on them. */

import { FEWEST_CONTROLS, MOST_CONTROLS } from './controls'
import type { Mask } from './fill'
import type { Point } from './point'
import { areaOf, evenly, lengthOf } from './polygon'

/** A control point for so many pixels of outline. */
const PIXELS_A_POINT = 10
const FEWEST_OF_OUTLINE = 12

/** Sides of a square between four pixel centres: the middles of its upper, right, lower and left edge. */
type Side = 0 | 1 | 2 | 3

/**
 * Where lines enter and leave a square, by which of its corners are inside: bits of upper left 1, upper right 2, lower
 * right 4, lower left 8. The inside lies to the right of the way. Diagonal corners are not joined.
 */
const WAYS: readonly (readonly (readonly [Side, Side])[])[] = [
  [],
  [[0, 3]],
  [[1, 0]],
  [[1, 3]],
  [[2, 1]],
  [
    [0, 3],
    [2, 1],
  ],
  [[2, 0]],
  [[2, 3]],
  [[3, 2]],
  [[0, 2]],
  [
    [1, 0],
    [3, 2],
  ],
  [[1, 2]],
  [[3, 1]],
  [[0, 1]],
  [[3, 0]],
  [],
]

const OFFSETS: readonly Point[] = [
  [0, 0.5],
  [0.5, 1],
  [1, 0.5],
  [0.5, 0],
]
const STEPS_BESIDE: readonly Point[] = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
]

/** All closed level lines of a mask with zeros around it, the one that encloses most first. */
export function outlinesOf(mask: Mask): Point[][] {
  const width = mask.width + 1
  const isIn = (row: number, column: number): number =>
    row >= 0 && column >= 0 && row < mask.height && column < mask.width && mask.pixels[row * mask.width + column]
      ? 1
      : 0
  // Squares stand at their upper left corner, from -1 on.
  const seen = new Uint8Array((mask.height + 1) * width)
  const kindAt = (row: number, column: number): number =>
    isIn(row, column) + 2 * isIn(row, column + 1) + 4 * isIn(row + 1, column + 1) + 8 * isIn(row + 1, column)
  const lines: Point[][] = []
  for (let row = -1; row < mask.height; row++) {
    for (let column = -1; column < mask.width; column++) {
      WAYS[kindAt(row, column)]!.forEach((way, number) => {
        if (!(seen[(row + 1) * width + column + 1]! & (1 << number))) lines.push(follow(row, column, way[0]))
      })
    }
  }
  return lines.sort((a, b) => areaOf(b) - areaOf(a))

  function follow(startRow: number, startColumn: number, startSide: Side): Point[] {
    const line: Point[] = []
    let [row, column, entry] = [startRow, startColumn, startSide]
    do {
      const ways = WAYS[kindAt(row, column)]!
      const number = ways.findIndex((way) => way[0] === entry)
      seen[(row + 1) * width + column + 1]! |= 1 << number
      line.push([row + OFFSETS[entry]![0], column + OFFSETS[entry]![1]])
      const exit = ways[number]![1]
      ;[row, column] = [row + STEPS_BESIDE[exit]![0], column + STEPS_BESIDE[exit]![1]]
      entry = ((exit + 2) % 4) as Side
    } while (row !== startRow || column !== startColumn || entry !== startSide)
    return line
  }
}

/** The outline of a mask's largest piece; empty for an empty mask. */
export const outlineOf = (mask: Mask): Point[] => outlinesOf(mask)[0] ?? []

/**
 * Control points of a curve along an outline, evenly spread: provisional, until the server's come.
 *
 * @returns Nothing for an outline too small to be edited as a curve.
 */
export function controlsOf(outline: readonly Point[]): readonly Point[] {
  if (outline.length < FEWEST_CONTROLS) return []
  const wanted = Math.round(lengthOf(outline) / PIXELS_A_POINT)
  return evenly(outline, Math.min(Math.max(wanted, FEWEST_OF_OUTLINE), MOST_CONTROLS))
}
