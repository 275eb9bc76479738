import { expect, test } from 'vitest'
import { sentenceOf } from './sentences'

const flag = (rule: string, text: string) => ({ grade: 'look twice', rule, text, about: 'LV' }) as const

test('a sentence of the table is said in French, its numbers and phases too', () => {
  const found = flag('stroke-volume-extreme', 'A4C ES: a stroke volume of 4.5 ml is outside 6-180 ml')
  expect(sentenceOf(found, 'fr')).toBe("A4C TS : un volume d'éjection de 4,5 ml est hors de 6–180 ml")
  expect(sentenceOf(found, 'en')).toBe(found.text)
})

test('parts of the heart are said in French', () => {
  const found = flag('jump', 'SAX: the volume of the left ventricle jumps by 26 % between frames 9 and 10')
  expect(sentenceOf(found, 'fr')).toMatch(/^SAX : le volume du ventricule gauche/)
})

test('what the table does not know stays as it was said', () => {
  expect(sentenceOf(flag('jump', 'something else'), 'fr')).toBe('something else')
})
