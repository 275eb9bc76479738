import { expect, test } from 'vitest'
import type { Quantity } from '../api/types'
import { curveName, interval, number, quantity, rangesOf, term } from './format'

test('numbers are written as the language does', () => {
  expect(number(-18.43, 1, 'fr')).toBe('−18,4')
  expect(number(-0.04, 1, 'en')).toBe('0.0')
  expect(number(NaN, 1, 'en')).toBe('–')
  expect(quantity(57.26, 'percent', 'left_ventricular_ejection_fraction', 'en')).toBe('57')
  expect(quantity(-18.43, 'percent', 'left_ventricular_global_longitudinal_strain', 'en')).toBe('−18.4')
})

test('limits below zero are joined by a word, since a dash would be a minus', () => {
  expect(interval(-20, -17, 'percent', 'longitudinal_strain', 'en')).toBe('−20.0 to −17.0')
  expect(interval(50, 62, 'percent', 'ef', 'en')).toBe('50–62')
})

test('a range holds for the method and the view that it was made for, and for no other', () => {
  const ejection = (method: string, view: string) =>
    ({ name: 'left_ventricular_ejection_fraction', unit: 'percent', method, view }) as Quantity
  const adult = { sex: null, papillaries: 'cavity', isChild: false } as const
  expect(rangesOf(ejection('biplane method of disks', 'A4C+A2C'), adult).map(({ low, high }) => [low, high])).toEqual([
    [52, 72],
    [54, 74],
  ])
  expect(rangesOf(ejection('method of disks, single plane', 'A4C'), adult)).toEqual([])
  expect(rangesOf(ejection('biplane method of disks', 'A4C+A2C'), { ...adult, sex: 'F' }).map(({ low }) => low)).toEqual([54])
  expect(rangesOf(ejection('biplane method of disks', 'A4C+A2C'), { ...adult, isChild: true })).toEqual([])
  const stack = ejection('sum of slices', 'SAX')
  expect(rangesOf(stack, { ...adult, papillaries: 'mass' }).map(({ low }) => low)).not.toEqual(rangesOf(stack, adult).map(({ low }) => low))
})

test('the words of the report are those of the page', () => {
  expect(term('left_ventricular_stroke_volume', 'fr')).toBe("Volume d'éjection systolique")
})

test('curves are named by chamber and what they show', () => {
  expect(curveName('left_ventricular_volume', 'en')).toBe('LV volume')
  expect(curveName('left_ventricular_volume', 'fr')).toBe('Volume VG')
  expect(curveName('left_ventricular_length', 'fr', { length: 'longueur' })).toBe('Longueur VG')
})
