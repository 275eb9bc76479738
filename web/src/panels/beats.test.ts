import { expect, test } from 'vitest'
import { rowOf } from './beats'

const beat = { image: 'a', view: 'A4C', end_diastole: 1, end_systole: 2, stop: 3 }
const curve = { image: 'a', view: 'A4C', times_ms: [0, 100, 400, 900], left_ventricular_volume_ml: [90, 100, 40, 98] }

test('a beat has its own volumes, length and rate', () => {
  expect(rowOf(beat, curve)).toEqual({ length_ms: 800, rate: 75, large: 100, small: 40, ejection: 60 })
})

test('a beat that the film does not show to its end, or that was gathered from many, has no length', () => {
  expect(rowOf({ ...beat, stop: null }, curve).length_ms).toBeNull()
  expect(rowOf({ ...beat, stop: 1 }, curve).length_ms).toBeNull()
})

test('what is not measured is not a number', () => {
  expect(rowOf(beat, { ...curve, left_ventricular_volume_ml: [90, null, 40, 98] }).ejection).toBeNull()
  expect(rowOf(beat, undefined)).toEqual({ length_ms: null, rate: null, large: null, small: null, ejection: null })
})
