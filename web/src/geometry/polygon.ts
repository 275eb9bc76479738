/** Closed polygons: size, place, and whether they cross themselves. A ring does not repeat its first point. */

import { distance, moved, PIXELS, type PixelSize, type Point } from './point'

/** Area a ring encloses, whichever way round, in squares of the pixel size's unit. */
export function areaOf(ring: readonly Point[], pixel: PixelSize = PIXELS): number {
  return Math.abs(signedArea(ring)) * pixel[0] * pixel[1]
}

/** Area in pixels, positive where rows and columns rise together first: one sign for each way round. */
export function signedArea(ring: readonly Point[]): number {
  const first = ring[0]
  if (first === undefined || ring.length < 3) return 0
  let doubled = 0
  let [row, column] = [0, 0]
  // Measured from one corner, products stay small and nothing cancels far from the origin.
  for (let index = 1; index < ring.length; index++) {
    const [nextRow, nextColumn] = [ring[index]![0] - first[0], ring[index]![1] - first[1]]
    doubled += row * nextColumn - nextRow * column
    ;[row, column] = [nextRow, nextColumn]
  }
  return doubled / 2
}

/** Centre of the area; the mean of the points where there is no area. */
export function centroidOf(ring: readonly Point[]): Point {
  const area = signedArea(ring)
  const first = ring[0] ?? [0, 0]
  if (Math.abs(area) < 1e-9) {
    const sum = ring.reduce<Point>((total, point) => moved(total, point), [0, 0])
    return [sum[0] / Math.max(ring.length, 1), sum[1] / Math.max(ring.length, 1)]
  }
  let [row, column] = [0, 0]
  for (let index = 0; index < ring.length; index++) {
    const a = moved(ring[index]!, first, -1)
    const b = moved(ring[(index + 1) % ring.length]!, first, -1)
    const cross = a[0] * b[1] - b[0] * a[1]
    row += (a[0] + b[0]) * cross
    column += (a[1] + b[1]) * cross
  }
  return [first[0] + row / (6 * area), first[1] + column / (6 * area)]
}

/** Length of a ring, the way back to its first point included, in the pixel size's unit. */
export function lengthOf(ring: readonly Point[], pixel: PixelSize = PIXELS): number {
  let total = 0
  for (let index = 0; index < ring.length; index++) {
    const [a, b] = [ring[index]!, ring[(index + 1) % ring.length]!]
    total += Math.hypot((b[0] - a[0]) * pixel[0], (b[1] - a[1]) * pixel[1])
  }
  return total
}

/** Whether a point lies inside a ring, by the even-odd rule. */
export function isInside(ring: readonly Point[], [row, column]: Point): boolean {
  let inside = false
  for (let index = 0, last = ring.length - 1; index < ring.length; last = index++) {
    const [a, b] = [ring[index]!, ring[last]!]
    if (a[0] > row !== b[0] > row && column >= a[1] + ((row - a[0]) / (b[0] - a[0])) * (b[1] - a[1])) inside = !inside
  }
  return inside
}

/** Whether two edges of a ring that are not neighbours meet. */
export function crossesItself(ring: readonly Point[]): boolean {
  const count = ring.length
  for (let i = 0; i < count - 2; i++) {
    const [a, b] = [ring[i]!, ring[i + 1]!]
    const [top, bottom] = a[0] < b[0] ? [a[0], b[0]] : [b[0], a[0]]
    const [left, right] = a[1] < b[1] ? [a[1], b[1]] : [b[1], a[1]]
    // The last edge is a neighbour of the first.
    const stop = i === 0 ? count - 1 : count
    for (let j = i + 2; j < stop; j++) {
      const c = ring[j]!
      const d = ring[j + 1 === count ? 0 : j + 1]!
      // Almost all pairs are told apart by their boxes alone.
      if ((c[0] < top && d[0] < top) || (c[0] > bottom && d[0] > bottom)) continue
      if ((c[1] < left && d[1] < left) || (c[1] > right && d[1] > right)) continue
      if (meet(a, b, c, d)) return true
    }
  }
  return false
}

function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point): number => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
  return side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0
}

/** The place of a ring's line nearest to a point: which edge, how far along it, the point itself and how far off it. */
export interface Nearest {
  edge: number
  share: number
  point: Point
  distance: number
}

export function nearestOnRing(ring: readonly Point[], to: Point): Nearest {
  let best: Nearest = { edge: 0, share: 0, point: ring[0] ?? to, distance: Infinity }
  for (let edge = 0; edge < ring.length; edge++) {
    const a = ring[edge]!
    const b = ring[edge + 1 === ring.length ? 0 : edge + 1]!
    const [rows, columns] = [b[0] - a[0], b[1] - a[1]]
    const square = rows * rows + columns * columns
    const along = square === 0 ? 0 : ((to[0] - a[0]) * rows + (to[1] - a[1]) * columns) / square
    const share = Math.min(Math.max(along, 0), 1)
    const point: Point = [a[0] + share * rows, a[1] + share * columns]
    const off = distance(point, to)
    if (off < best.distance) best = { edge, share, point, distance: off }
  }
  return best
}

/** Points at equal distances along a ring, from its first point on. */
export function evenly(ring: readonly Point[], count: number): Point[] {
  const travelled = [0]
  for (let index = 0; index < ring.length; index++) {
    travelled.push(travelled[index]! + distance(ring[index]!, ring[(index + 1) % ring.length]!))
  }
  const total = travelled[ring.length]!
  const found: Point[] = []
  let edge = 0
  for (let k = 0; k < count; k++) {
    const wanted = (k * total) / count
    while (edge < ring.length - 1 && travelled[edge + 1]! <= wanted) edge++
    const [a, b] = [ring[edge]!, ring[(edge + 1) % ring.length]!]
    const step = travelled[edge + 1]! - travelled[edge]!
    found.push(moved(a, [b[0] - a[0], b[1] - a[1]], step === 0 ? 0 : (wanted - travelled[edge]!) / step))
  }
  return found
}
