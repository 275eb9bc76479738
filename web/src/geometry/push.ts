/**
 * The push tool: the curve sticks to the hand where it is grabbed, and the stretch on either side of it follows by a
 * bell-shaped share. The distance is measured along the curve, so that the opposite wall stays where it is.
 */

import {
  curveLength as lengthOf,
  farthestSimple,
  isSimple,
  MOST_CONTROLS,
  type Place,
  placeOnCurve,
  spanLengths,
  weightAt,
} from './controls'
import { curveThrough, pointOnCurve } from './curve'
import { distance, moved, type Point } from './point'
import { nearestOnRing } from './polygon'

/** Shares below this are none: points beyond stay exactly where they are. */
const LEAST_SHARE = 0.02
/** Of the distance between control points: a bell narrower than this would slip through between two of them. */
const NARROWEST = 0.6
/** Of the usual distance between control points: one this long is halved, and one this short is closed. */
const LONG_SPAN = 1.6
const SHORT_SPAN = 0.4
const FEWEST_KEPT = 12
/** A point this near to the curve through the others is not needed, in pixels. */
const STRAIGHT = 0.4

/** A curve grabbed at one place, with the share of the hand's way that each control point goes. */
export interface Grip {
  readonly controls: readonly Point[]
  readonly place: Place
  readonly shares: readonly number[]
}

/**
 * Grab a curve.
 *
 * @param controls - its control points.
 * @param at - where the hand is.
 * @param width - of the bell (one standard deviation), pixels along the curve.
 */
export function grip(controls: readonly Point[], at: Point, width: number): Grip {
  const place = placeOnCurve(controls, at)
  const spans = spanLengths(controls)
  const sigma = Math.max(width, NARROWEST * spans[place.index]!)
  const shares = distancesAlong(spans, place).map((off) => {
    const share = Math.exp(-(off * off) / (2 * sigma * sigma))
    return share < LEAST_SHARE ? 0 : share
  })
  // The curve itself, and not a point beside it, is what stays under the hand.
  const followed = weightAt(controls, place, shares)
  return { controls, place, shares: shares.map((share) => share / followed) }
}

/** The control points when the hand has moved by so much since it grabbed; never so far that the curve crosses itself. */
export function pushed(held: Grip, by: Point): readonly Point[] {
  return farthestSimple(held.controls, (share) =>
    held.controls.map((control, index) => moved(control, by, share * held.shares[index]!)),
  )
}

/**
 * Control points about as far from each other as before, along the stretch that was pushed.
 *
 * Where the curve was drawn out it gets points, up to the most there may be; where it was drawn together it loses those
 * that it does not need. No point is moved: what the hand left is what stays, corners too.
 */
export function respread(held: Grip, controls: readonly Point[]): readonly Point[] {
  const usual = lengthOf(held.controls) / held.controls.length
  let points = controls.map((point, index) => ({ point, isPushed: held.shares[index] !== 0 }))
  const placesOf = (): Point[] => points.map(({ point }) => point)
  for (;;) {
    const spans = spanLengths(placesOf())
    const longest = most(spans, (index) => points[index]!.isPushed || points[(index + 1) % points.length]!.isPushed)
    if (longest === null || spans[longest]! <= LONG_SPAN * usual || points.length >= MOST_CONTROLS) break
    const added = { point: pointOnCurve(placesOf(), longest, 0.5), isPushed: true }
    points = [...points.slice(0, longest + 1), added, ...points.slice(longest + 1)]
  }
  for (let index = points.length - 1; index > 0 && points.length > FEWEST_KEPT; index--) {
    const rest = points.filter((_, at) => at !== index)
    const isNear = distance(points[index]!.point, points[index - 1]!.point) < SHORT_SPAN * usual
    if (!isNear || !points[index]!.isPushed) continue
    const ring = curveThrough(rest.map(({ point }) => point))
    if (nearestOnRing(ring, points[index]!.point).distance < STRAIGHT) points = rest
  }
  const spread = placesOf()
  return isSimple(spread) ? spread : controls
}

/** The number of the largest of some values; null if none is asked for. */
function most(values: readonly number[], isAsked: (index: number) => boolean): number | null {
  return values.reduce<number | null>(
    (best, value, index) => (isAsked(index) && (best === null || value > values[best]!) ? index : best),
    null,
  )
}

function distancesAlong(spans: readonly number[], place: Place): number[] {
  const total = spans.reduce((sum, length) => sum + length, 0)
  const starts = spans.map((_, index) => spans.slice(0, index).reduce((sum, length) => sum + length, 0))
  const at = starts[place.index]! + place.share * spans[place.index]!
  return starts.map((start) => Math.min(Math.abs(start - at), total - Math.abs(start - at)))
}

/** How far the curve is from the hand after a push, in pixels: 0 unless it was held back. */
export function slip(controls: readonly Point[], hand: Point): number {
  return nearestOnRing(curveThrough(controls), hand).distance
}
