/**
 * The push tool: the curve sticks to the hand where it is grabbed, and the stretch on either side of it follows by a
 * bell-shaped share. The distance is measured along the curve, so that the opposite wall stays where it is.
 */

import { farthestSimple, MOST_CONTROLS, type Place, placeOnCurve, spanLengths, weightAt } from './controls'
import { curveThrough, STEPS } from './curve'
import { distance, moved, type Point } from './point'
import { nearestOnRing } from './polygon'

/** Shares below this are none: points beyond stay exactly where they are. */
const LEAST_SHARE = 0.02
/** Of the distance between control points: a bell narrower than this would slip through between two of them. */
const NARROWEST = 0.6

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
 * Control points as evenly spread as before along a stretch that was pushed; those that were not pushed stay.
 *
 * A stretch that became longer by more than half a distance between points gets points of its own, up to the most there
 * may be.
 */
export function respread(held: Grip, controls: readonly Point[]): readonly Point[] {
  const count = controls.length
  const isMoved = held.shares.map((share) => share !== 0)
  if (!isMoved.includes(true) || !isMoved.includes(false)) return controls
  const first = isMoved.findIndex((is, index) => is && !isMoved[(index + count - 1) % count])
  let stop = first
  while (isMoved[stop % count]) stop++
  const before = (first + count - 1) % count
  const spans = stop - first + 1
  const line = stretch(controls, before, spans)
  const usual = spanLengths(held.controls).reduce((sum, length) => sum + length, 0) / count
  const wanted = Math.min(Math.max(Math.round(lengthOfLine(line) / usual), spans), spans + MOST_CONTROLS - count)
  const inner = evenlyInside(line, wanted)
  const kept = Array.from({ length: count - (spans - 1) }, (_, k) => controls[(stop + k) % count]!)
  // The first point stays the first: its number names it in what is sent and undone.
  const spread = [...inner, ...kept]
  const turned = isMoved[0] ? nearestIndex(spread, controls[0]!) : spread.indexOf(controls[0]!)
  return farthestSimple(controls, (share) =>
    share === 1 ? [...spread.slice(turned), ...spread.slice(0, turned)] : controls,
  )
}

function distancesAlong(spans: readonly number[], place: Place): number[] {
  const total = spans.reduce((sum, length) => sum + length, 0)
  const starts = spans.map((_, index) => spans.slice(0, index).reduce((sum, length) => sum + length, 0))
  const at = starts[place.index]! + place.share * spans[place.index]!
  return starts.map((start) => Math.min(Math.abs(start - at), total - Math.abs(start - at)))
}

/** The drawn line of so many spans from a control point on, its end included. */
function stretch(controls: readonly Point[], from: number, spans: number): Point[] {
  const ring = curveThrough(controls)
  return Array.from({ length: spans * STEPS + 1 }, (_, k) => ring[(from * STEPS + k) % ring.length]!)
}

function lengthOfLine(line: readonly Point[]): number {
  return line.slice(1).reduce((sum, point, index) => sum + distance(line[index]!, point), 0)
}

/** The points that cut a line into so many equal lengths, its ends left out. */
function evenlyInside(line: readonly Point[], pieces: number): Point[] {
  const step = lengthOfLine(line) / pieces
  const found: Point[] = []
  let travelled = 0
  for (let index = 1; index < line.length && found.length < pieces - 1; index++) {
    const [a, b] = [line[index - 1]!, line[index]!]
    const edge = distance(a, b)
    while (found.length < pieces - 1 && (found.length + 1) * step <= travelled + edge) {
      const share = edge === 0 ? 0 : ((found.length + 1) * step - travelled) / edge
      found.push([a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])])
    }
    travelled += edge
  }
  return found
}

function nearestIndex(points: readonly Point[], to: Point): number {
  return points.reduce((best, point, index) => (distance(point, to) < distance(points[best]!, to) ? index : best), 0)
}

/** How far the curve is from the hand after a push, in pixels: 0 unless it was held back. */
export function slip(controls: readonly Point[], hand: Point): number {
  return nearestOnRing(curveThrough(controls), hand).distance
}
