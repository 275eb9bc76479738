import { expect, test } from 'vitest'
import type { ImageInfo, Study } from '../api/types'
import type { Cine } from '../store/state'
import { answersOf, isHalf, isWrong, knownOf, numberOf, optionsOf } from './known'

const image = (name: string, view: string, more: Partial<ImageInfo> = {}) =>
  ({ name, view, frames: 1, spacing_mm: [0.5, 0.25], ...more }) as ImageInfo
const cine = (info: ImageInfo, heart_rate: number | null, times_ms: number[] = [0]) =>
  ({ info, heart_rate, times_ms, hasTimes: times_ms.length > 1 }) as Cine
const study = (images: ImageInfo[], options: Study['options'] = {}) => ({ images, options })
const NOTHING = { views: {}, spacing_mm: null, frame_rate_hz: null, heart_rate: null, height_cm: null, weight_kg: null, sex: null, model: null, language: 'en' }

test('the form begins with what the files say, and says nothing of it where it stays', () => {
  const film = image('a', 'A4C', { frames: 3 })
  const known = knownOf(study([film, image('b', 'A2C')]), [cine(film, 61, [0, 20, 40]), cine(image('b', 'A2C'), 61)])
  const answers = answersOf(known, 'en')
  expect(answers.typed).toEqual({ row: '0.5', column: '0.25', frame_rate_hz: '50', heart_rate: '61', height_cm: '', weight_kg: '' })
  expect(answers.views).toEqual({ a: 'A4C', b: 'A2C' })
  expect(optionsOf(known, answers)).toEqual(NOTHING)
})

test('what images say differently is left open', () => {
  const images = [image('a', 'A4C'), image('b', 'A2C', { spacing_mm: [0.5, 0.5] })]
  const { typed } = answersOf(knownOf(study(images), [cine(images[0]!, 60), cine(images[1]!, null)]), 'en')
  expect([typed.row, typed.column, typed.heart_rate]).toEqual(['0.5', '', ''])
})

test('what a person said before is said again, and what is changed is said', () => {
  const options = { spacing_mm: [0.5, 0.25, 9], heart_rate: 70, sex: 'F', model: 'm', language: 'fr', views: { a: 'A3C' } } as unknown as Study['options']
  const known = knownOf(study([image('a', 'A3C')], options), [cine(image('a', 'A3C'), 61)])
  const began = answersOf(known, 'en')
  const said = { ...NOTHING, views: { a: 'A3C' }, spacing_mm: [0.5, 0.25, 9], heart_rate: 70, sex: 'F', model: 'm', language: 'fr' }
  expect(optionsOf(known, began)).toEqual(said)
  const typed = { ...began.typed, row: '0,4', heart_rate: '', weight_kg: '70' }
  expect(optionsOf(known, { ...began, typed, views: { a: 'A2C' } })).toEqual({ ...said, views: { a: 'A2C' }, spacing_mm: [0.4, 0.25], heart_rate: null, weight_kg: 70 })
})

test('words and halves are refused', () => {
  const began = answersOf(knownOf(study([]), []), 'en')
  expect([numberOf('0,5'), numberOf('-1'), numberOf('x')]).toEqual([0.5, null, null])
  expect(isWrong({ ...began, typed: { ...began.typed, weight_kg: 'heavy' } })).toBe(true)
  expect(isHalf({ ...began, typed: { ...began.typed, row: '1' } })).toBe(true)
  expect(isHalf(began) || isWrong(began)).toBe(false)
})
