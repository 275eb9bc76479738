/**
 * Contours as they are edited: closed curves through 12 to 24 control points.
 *
 * The curve is a closed centripetal Catmull-Rom spline: it goes through its points, a point moves only the two spans on
 * either side of it, and no span has a loop or a cusp, however unevenly the points lie (Yuksel 2011, Comput Aided Des
 * 43:747). The server draws the same curve: `web/fixtures/editing.json` holds both to the same numbers.
 */

import { distance, type Point } from './point'

/** Points of the drawn line from one control point to the next. */
export const STEPS = 16

export const FEWEST_POINTS = 3

const SHORTEST_KNOT = 1e-6
const SAME = 1e-9

/**
 * The curve as an open ring of points, `steps` of them for each control point; a ring's point `i * steps` is control
 * point `i`.
 *
 * @returns Nothing for fewer than three points; of points that repeat the one before only the first counts.
 */
export function curveThrough(controls: readonly Point[], steps = STEPS): Point[] {
  const points = withoutRepeats(controls)
  if (points.length < FEWEST_POINTS) return []
  const ring: Point[] = []
  for (let index = 0; index < points.length; index++) {
    const span = spanFrom(points, index)
    for (let step = 0; step < steps; step++) ring.push(alongSpan(span, step / steps))
  }
  return ring
}

/** The points that differ from the one before. */
export function withoutRepeats(points: readonly Point[]): readonly Point[] {
  const differs = (point: Point, index: number): boolean =>
    points.length < 2 || distance(point, points[(index + points.length - 1) % points.length]!) > SAME
  return points.every(differs) ? points : points.filter(differs)
}

/** One point of the curve: `share` of the way from control point `index` to the next. */
export function pointOnCurve(points: readonly Point[], index: number, share: number): Point {
  return alongSpan(spanFrom(points, index), share)
}

/** How much each control point near a place of the curve moves it: control point numbers and their weights. */
export function influence(points: readonly Point[], index: number, share: number): [number, number][] {
  const count = points.length
  const around = [-1, 0, 1, 2].map((offset) => (index + offset + count) % count)
  const [d0, d1, d2] = knots(around.map((at) => points[at]!))
  const { start, end, leave, arrive } = hermite(share)
  // The tangents at both ends are sums of the four points too.
  const ofLeave = [d1 * (1 / (d0 + d1) - 1 / d0), d1 / d0 - 1, 1 - d1 / (d0 + d1), 0]
  const ofArrive = [0, d1 / (d1 + d2) - 1, 1 - d1 / d2, d1 * (1 / d2 - 1 / (d1 + d2))]
  return around.map((at, k) => [
    at,
    leave * ofLeave[k]! + arrive * ofArrive[k]! + (k === 1 ? start : 0) + (k === 2 ? end : 0),
  ])
}

interface Span {
  start: Point
  end: Point
  leave: Point
  arrive: Point
}

function spanFrom(points: readonly Point[], index: number): Span {
  const count = points.length
  const [p0, p1, p2, p3] = [-1, 0, 1, 2].map((offset) => points[(index + offset + count) % count]!) as Quad
  const [d0, d1, d2] = knots([p0, p1, p2, p3])
  const tangent = (axis: 0 | 1, a: Point, b: Point, c: Point, before: number, after: number): number =>
    d1 * ((b[axis] - a[axis]) / before - (c[axis] - a[axis]) / (before + after) + (c[axis] - b[axis]) / after)
  return {
    start: p1,
    end: p2,
    leave: [tangent(0, p0, p1, p2, d0, d1), tangent(1, p0, p1, p2, d0, d1)],
    arrive: [tangent(0, p1, p2, p3, d1, d2), tangent(1, p1, p2, p3, d1, d2)],
  }
}

type Quad = [Point, Point, Point, Point]

function knots(four: readonly Point[]): [number, number, number] {
  const step = (a: number): number => Math.max(Math.sqrt(distance(four[a]!, four[a + 1]!)), SHORTEST_KNOT)
  return [step(0), step(1), step(2)]
}

function hermite(share: number): { start: number; end: number; leave: number; arrive: number } {
  const square = share * share
  const cube = square * share
  return {
    start: 2 * cube - 3 * square + 1,
    end: 3 * square - 2 * cube,
    leave: cube - 2 * square + share,
    arrive: cube - square,
  }
}

function alongSpan(span: Span, share: number): Point {
  const { start, end, leave, arrive } = hermite(share)
  const on = (axis: 0 | 1): number =>
    start * span.start[axis] + end * span.end[axis] + leave * span.leave[axis] + arrive * span.arrive[axis]
  return [on(0), on(1)]
}
