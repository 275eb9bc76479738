import { expect, test } from 'vitest'
import { withDragged } from './controls'
import { curveThrough } from './curve'
import { axisLength, type LongAxis } from './disks'
import { fillPolygon } from './fill'
import { axisAfter, held, isOfBase } from './partners'
import { distance, type Point } from './point'
import { evenly, isInside } from './polygon'
import { ellipse, halfEllipse } from './shapes'

const AXIS: LongAxis = {
  annulus: [
    [180, 80],
    [180, 120],
  ],
  apex: [80, 100],
}
const LV = evenly(halfEllipse([180, 100], 100, 20), 20)
const EPI = evenly(halfEllipse([180, 100], 112, 32), 20)
const nearest = (points: readonly Point[], to: Point): number =>
  points.reduce((best, point, index) => (distance(point, to) < distance(points[best]!, to) ? index : best), 0)

test('the base of both moves together', () => {
  const at = nearest(LV, [180, 100])
  expect(isOfBase(LV[at]!, curveThrough(EPI), AXIS)).toBe(true)
  const wanted = withDragged(LV, at, [9, 0])
  const after = held({ edited: LV, partner: EPI }, wanted, AXIS, true)
  expect(after.edited[at]).toEqual(wanted[at])
  const below = EPI.filter((point) => isOfBase(point, curveThrough(LV), AXIS))
  expect(below.length).toBeGreaterThan(1)
  expect(Math.max(...after.partner.map(([row]) => row))).toBeGreaterThan(184)
  const apex = nearest(EPI, [68, 100])
  expect(after.partner[apex]).toEqual(EPI[apex])
})

test('a wall point stops at the epicardium, slides along it, and does not carry it away afterwards', () => {
  const at = nearest(LV, [130, 117])
  let pair = { edited: LV as readonly Point[], partner: EPI as readonly Point[] }
  for (let turn = 0; turn < 3; turn++) {
    pair = held(pair, withDragged(pair.edited, at, [0, 25]), AXIS, true)
    expect(pair.partner).toEqual(EPI)
    expect(Math.min(...curveThrough(EPI).map((point) => distance(point, pair.edited[at]!)))).toBeLessThan(1e-9)
  }
})

test('in a short axis nothing is carried, and the epicardium stops at the cavity', () => {
  const [cavity, wall] = [ellipse([100, 100], [30, 30], 12), ellipse([100, 100], [42, 42], 12)]
  const after = held({ edited: wall, partner: cavity }, withDragged(wall, 0, [0, -30]), null, false)
  expect(after.partner).toEqual(cavity)
  expect(isInside(curveThrough(cavity), [after.edited[0]![0], after.edited[0]![1] - 0.5])).toBe(true)
})

test("what the cavity's labels lose to the epicardium is next to nothing after a push beyond it", () => {
  const at = nearest(LV, [130, 117])
  const after = held({ edited: LV, partner: EPI }, withDragged(LV, at, [0, 25]), AXIS, true)
  const inner = fillPolygon(curveThrough(after.edited), 256, 256).pixels
  const outer = fillPolygon(curveThrough(after.partner), 256, 256).pixels
  const beyond = inner.reduce((count, pixel, index) => count + (pixel && !outer[index] ? 1 : 0), 0)
  expect(beyond).toBeLessThan(0.01 * inner.reduce((count, pixel) => count + pixel, 0))
})

test('the long axis follows the contour', () => {
  const lower = LV.map(([row, column]): Point => [row + 5, column])
  const axis = axisAfter(AXIS, LV, lower)
  expect(axis.annulus[0]![0]).toBeCloseTo(185, 6)
  expect(axisLength(axis)).toBeCloseTo(axisLength(axisAfter(AXIS, LV, LV)), 9)
})
