import { expect, test } from 'vitest'
import {
  controlAt,
  FEWEST_CONTROLS,
  isSimple,
  MOST_CONTROLS,
  placeOnCurve,
  withDragged,
  withInserted,
  withRemoved,
} from './controls'
import { distance } from './point'
import { ellipse } from './shapes'

const CONTROLS = ellipse([120, 110], [80, 40], 16)

test('the nearest place on the curve, also on the span that closes it', () => {
  const place = placeOnCurve(CONTROLS, [100, 160])
  expect(place.index).toBe(15)
  expect(place.share).toBeGreaterThan(0)
  expect(distance(place.point, [100, 160])).toBeCloseTo(place.distance, 1)
})

test('a control point added where the curve is leaves it almost as it was', () => {
  const place = placeOnCurve(CONTROLS, [70, 140])
  const more = withInserted(CONTROLS, place)
  expect(more.length).toBe(17)
  expect(more[place.index + 1]).toEqual(place.point)
  expect(withInserted(CONTROLS, { ...place, point: CONTROLS[place.index]! })).toBe(CONTROLS)
  const full = ellipse([120, 110], [80, 40], MOST_CONTROLS)
  expect(withInserted(full, placeOnCurve(full, [70, 140]))).toBe(full)
})

test('a point is taken away, down to the fewest', () => {
  expect(withRemoved(CONTROLS, 3)).toEqual(CONTROLS.filter((_, at) => at !== 3))
  const few = ellipse([120, 110], [80, 40], FEWEST_CONTROLS)
  expect(withRemoved(few, 0)).toBe(few)
})

test('the control point under the hand, within reach', () => {
  expect(controlAt(CONTROLS, [121, 152], 5)).toBe(0)
  expect(controlAt(CONTROLS, [121, 162], 5)).toBeNull()
})

test('a point dragged across the opposite wall stops short of it', () => {
  const after = withDragged(CONTROLS, 0, [0, -120])
  expect(isSimple(after)).toBe(true)
  expect(after[0]![1]).toBeLessThan(100)
  expect(after[0]![1]).toBeGreaterThan(69)
})
