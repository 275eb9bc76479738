import { expect, test } from 'vitest'
import { nameAndUnit, pathOf, seriesOf, ticksOf } from './curves'

test('the unit is what a series ends with', () => {
  expect(nameAndUnit('left_ventricular_volume_ml')).toEqual(['left_ventricular_volume', 'ml'])
  expect(nameAndUnit('left_ventricular_longitudinal_strain_percent')[1]).toBe('percent')
  expect(nameAndUnit('left_ventricular_area_cm2')[1]).toBe('cm2')
})

test('volumes come first', () => {
  const curve = { image: 'a', view: 'A4C', times_ms: [0, 1], left_atrial_area_cm2: [1, 2], left_ventricular_volume_ml: [3, 4] }
  expect(seriesOf(curve).map(([name]) => name)).toEqual(['left_ventricular_volume_ml', 'left_atrial_area_cm2'])
})

test('a frame that was not measured leaves a gap', () => {
  const same = (value: number) => value
  expect(pathOf([1, 2, null, 4], same, same)).toBe('M0.0 1.0L1.0 2.0M3.0 4.0')
})

test('ticks are round and within', () => {
  expect(ticksOf(0, 153, 5)).toEqual([0, 50, 100, 150])
  expect(ticksOf(-24, 0, 4)).toEqual([-20, -10, 0])
})
