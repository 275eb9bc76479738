/**
 * The two contours of a left ventricle: `lv`, its cavity, and `epi`, cavity and myocardium together.
 *
 * The cavity never leaves the epicardium. In a long axis both end at the open base, along the mitral annulus: there a
 * gesture on one carries the other along. Everywhere else the contour in hand stops at its partner.
 */

import { curveThrough } from './curve'
import { type LongAxis, axisLength } from './disks'
import { between, distance, middle, moved, type Point } from './point'
import { isInside, nearestOnRing } from './polygon'

/** Contours this close run along each other, in pixels. */
const TOUCHING = 1.5
/** Height of the base over the annulus, as a share of the long axis. */
const BASE_SHARE = 0.1

export interface Pair {
  /** The contour in hand, as it may be. */
  readonly edited: readonly Point[]
  /** The other one, carried along at the base. */
  readonly partner: readonly Point[]
}

/**
 * What a gesture on one contour of the pair makes of both.
 *
 * @param before - control points of both when the gesture began.
 * @param wanted - those of the edited contour as the hand asks for them.
 * @param axis - of this plane at that time; null where there is no open base.
 * @param isCavity - whether the edited one is the cavity.
 */
export function held(before: Pair, wanted: readonly Point[], axis: LongAxis | null, isCavity: boolean): Pair {
  const old = curveThrough(before.edited)
  const fresh = curveThrough(wanted)
  const other = curveThrough(before.partner)
  if (other.length === 0 || fresh.length === 0) return { edited: wanted, partner: before.partner }
  const isBase = (point: Point, ring: readonly Point[]): boolean => axis !== null && isOfBase(point, ring, axis)
  const partner = before.partner.map((point) => (isBase(point, old) ? carried(point, old, fresh) : point))
  const wall = curveThrough(partner)
  // Whether a point is of the base is asked where it was: by where it goes, a wall point at the annulus would be.
  const wasBase = wanted.map((point, index) =>
    isBase(wanted.length === before.edited.length ? before.edited[index]! : point, other),
  )
  const edited = wanted.map((point, index) => {
    if (wasBase[index] || isInside(wall, point) === isCavity) return point
    return nearestSample(wall, point)
  })
  return { edited, partner }
}

/** Whether a point lies where the contours of cavity and epicardium run along the mitral annulus together. */
export function isOfBase(point: Point, partner: readonly Point[], axis: LongAxis): boolean {
  const reach = TOUCHING + BASE_SHARE * axisLength(axis)
  return (
    distance(onSegment(point, ...axis.annulus), point) <= reach && nearestOnRing(partner, point).distance <= TOUCHING
  )
}

/** The long axis after a gesture on the cavity's contour: the annulus goes with it, the apex is the farthest point. */
export function axisAfter(axis: LongAxis, before: readonly Point[], after: readonly Point[]): LongAxis {
  const [old, fresh] = [curveThrough(before), curveThrough(after)]
  if (old.length === 0 || fresh.length === 0) return axis
  const annulus = axis.annulus.map((point) => carried(point, old, fresh)) as unknown as readonly [Point, Point]
  const base = middle(...annulus)
  const apex = fresh.reduce((best, point) => (distance(point, base) > distance(best, base) ? point : best), base)
  return { annulus, apex }
}

function carried(point: Point, old: readonly Point[], fresh: readonly Point[]): Point {
  if (old.length === fresh.length) {
    const at = nearestIndex(old, point)
    return moved(point, between(old[at]!, fresh[at]!))
  }
  return moved(point, between(nearestOnRing(old, point).point, nearestOnRing(fresh, point).point))
}

const nearestSample = (ring: readonly Point[], point: Point): Point => ring[nearestIndex(ring, point)]!

function nearestIndex(ring: readonly Point[], to: Point): number {
  let [best, least] = [0, Infinity]
  for (let index = 0; index < ring.length; index++) {
    const off = (ring[index]![0] - to[0]) ** 2 + (ring[index]![1] - to[1]) ** 2
    if (off < least) [best, least] = [index, off]
  }
  return best
}

function onSegment(point: Point, a: Point, b: Point): Point {
  const [rows, columns] = between(a, b)
  const square = rows * rows + columns * columns
  const share = square === 0 ? 0 : ((point[0] - a[0]) * rows + (point[1] - a[1]) * columns) / square
  return moved(a, [rows, columns], Math.min(Math.max(share, 0), 1))
}
