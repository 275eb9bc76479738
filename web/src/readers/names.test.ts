import { expect, test } from 'vitest'
import { keyParts } from './names'

test('a key is a name and a unit', () => {
  expect(keyParts('left_ventricular_ejection_fraction_percent')).toEqual({ name: 'left_ventricular_ejection_fraction', unit: 'percent' })
  expect(keyParts('left_ventricular_end_diastolic_volume_ml')).toEqual({ name: 'left_ventricular_end_diastolic_volume', unit: 'ml' })
  expect(keyParts('something_new_ml')).toEqual({ name: 'something_new_ml', unit: '' })
})
