/** Round brush and eraser on a plane of labels. */

import type { Mask } from './fill'
import { distance, type Point } from './point'

/** What a stroke does to a pixel: the new value, from the old one and its place. */
export type Paint = (value: number, row: number, column: number) => number

/**
 * Paint along a stroke from one point to another with a round brush.
 *
 * @param plane - of labels; it is changed.
 * @param radius - pixels whose centre is within it are painted, never none: the one under the hand always is.
 * @returns How many pixels changed.
 */
export function paintStroke(plane: Mask, from: Point, to: Point, radius: number, paint: Paint): number {
  let changed = paintAt(plane, to, radius, paint)
  const pieces = Math.ceil(distance(from, to) / Math.max(radius / 2, 0.5))
  for (let k = 0; k < pieces; k++) {
    const share = k / pieces
    const at: Point = [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]
    changed += paintAt(plane, at, radius, paint)
  }
  return changed
}

function paintAt(plane: Mask, [row, column]: Point, radius: number, paint: Paint): number {
  let changed = 0
  const within = Math.max(radius, Math.hypot(row - Math.round(row), column - Math.round(column)) + 1e-9)
  const [top, bottom] = [Math.max(Math.ceil(row - within), 0), Math.min(Math.floor(row + within), plane.height - 1)]
  for (let y = top; y <= bottom; y++) {
    const half = Math.sqrt(Math.max(within * within - (y - row) ** 2, 0))
    const last = Math.min(Math.floor(column + half), plane.width - 1)
    for (let x = Math.max(Math.ceil(column - half), 0); x <= last; x++) {
      const at = y * plane.width + x
      const value = paint(plane.pixels[at]!, y, x)
      if (value === plane.pixels[at]) continue
      plane.pixels[at] = value
      changed++
    }
  }
  return changed
}
