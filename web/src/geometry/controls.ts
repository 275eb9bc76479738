/** What a hand does to control points: drag one, add one, take one away, spread them. */

import { curveThrough, influence, pointOnCurve, STEPS } from './curve'
import { distance, moved, type Point } from './point'
import { crossesItself, lengthOf, nearestOnRing } from './polygon'

export const FEWEST_CONTROLS = 6
export const MOST_CONTROLS = 24

/** Control points nearer than this are one, in pixels. */
const CLOSEST = 0.5
const HALVINGS = 7

/** A place on a curve: `share` of the way from control point `index` to the next. */
export interface Place {
  readonly index: number
  readonly share: number
  readonly point: Point
  readonly distance: number
}

/** The place of the curve nearest to a point. */
export function placeOnCurve(controls: readonly Point[], to: Point): Place {
  const ring = curveThrough(controls)
  const near = nearestOnRing(ring, to)
  const along = near.edge + near.share
  const index = Math.floor(along / STEPS) % controls.length
  const share = Math.min((along - Math.floor(near.edge / STEPS) * STEPS) / STEPS, 1)
  return { index, share, point: pointOnCurve(controls, index, share), distance: near.distance }
}

/** The control point within `reach` of a point that is nearest to it; null if none is. */
export function controlAt(controls: readonly Point[], to: Point, reach: number): number | null {
  let best: number | null = null
  let least = reach
  controls.forEach((control, index) => {
    const off = distance(control, to)
    if (off <= least) [best, least] = [index, off]
  })
  return best
}

/** With one more control point on the curve at a place; the same points where there are enough, or one lies there. */
export function withInserted(controls: readonly Point[], place: Place): readonly Point[] {
  const next = controls[(place.index + 1) % controls.length]!
  const isThere = Math.min(distance(controls[place.index]!, place.point), distance(next, place.point)) < CLOSEST
  if (controls.length >= MOST_CONTROLS || isThere) return controls
  return [...controls.slice(0, place.index + 1), place.point, ...controls.slice(place.index + 1)]
}

/** Without one control point; the same points where they are as few as can be, or where the rest would cross itself. */
export function withRemoved(controls: readonly Point[], index: number): readonly Point[] {
  if (controls.length <= FEWEST_CONTROLS) return controls
  const rest = controls.filter((_, at) => at !== index)
  return isSimple(rest) ? rest : controls
}

/** With one control point dragged by so much, or as far towards there as the curve does not cross itself. */
export function withDragged(controls: readonly Point[], index: number, by: Point): readonly Point[] {
  return farthestSimple(controls, (share) =>
    controls.map((control, at) => (at === index ? moved(control, by, share) : control)),
  )
}

/** Whether the curve through control points does not cross itself. */
export const isSimple = (controls: readonly Point[]): boolean =>
  closestPair(controls) >= CLOSEST && !crossesItself(curveThrough(controls, STEPS / 2))

/**
 * The change of a curve made in full, or as much of it as leaves a curve that does not cross itself.
 *
 * A curve that crosses itself from the beginning is changed as asked: else a hand could not mend it.
 */
export function farthestSimple(
  controls: readonly Point[],
  change: (share: number) => readonly Point[],
): readonly Point[] {
  const full = change(1)
  if (isSimple(full) || !isSimple(controls)) return full
  let [held, low, high] = [controls, 0, 1]
  for (let k = 0; k < HALVINGS; k++) {
    const share = (low + high) / 2
    const tried = change(share)
    if (isSimple(tried)) [held, low] = [tried, share]
    else high = share
  }
  return held
}

/** How far the curve follows at a place if control points move by these weights. */
export function weightAt(controls: readonly Point[], place: Place, weights: readonly number[]): number {
  return influence(controls, place.index, place.share).reduce((sum, [at, share]) => sum + share * weights[at]!, 0)
}

/** Length of the curve from each control point to the next. */
export function spanLengths(controls: readonly Point[]): number[] {
  const ring = curveThrough(controls)
  return controls.map((_, index) => {
    let total = 0
    for (let at = index * STEPS; at < (index + 1) * STEPS; at++) {
      total += distance(ring[at]!, ring[(at + 1) % ring.length]!)
    }
    return total
  })
}

/** Length of the curve, in pixels. */
export const curveLength = (controls: readonly Point[]): number => lengthOf(curveThrough(controls))

function closestPair(controls: readonly Point[]): number {
  return controls.reduce(
    (least, control, index) => Math.min(least, distance(control, controls[(index + 1) % controls.length]!)),
    Infinity,
  )
}
