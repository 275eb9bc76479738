import { expect, test } from 'vitest'
import type { Destination } from '../api/types'
import { choices, MODALITIES, moved, NEW_RULE, rulesIn, textOf, wrongIn } from './rules'

const pacs = { name: 'pacs' } as Destination
const keyOf = (text: string) => {
  const found = rulesIn(text)
  return 'wrong' in found ? [found.wrong.key, found.wrong.values['text'] ?? ''] : found.rules
}

test('rules come back from their text', () => {
  const rules = [NEW_RULE, { ...NEW_RULE, name: 'hearts', modalities: ['MR'], analyse: false }]
  expect(rulesIn(textOf(rules))).toEqual({ rules })
})

test('what is left out is any way, any modality, analysed, and sent nowhere', () => {
  expect(rulesIn('[{"name": "a"}]')).toEqual({ rules: [{ ...NEW_RULE, name: 'a', origins: [] }] })
})

test('what is no rule is told by its number and field', () => {
  expect(keyOf('[{')![0]).toBe('wrong_json')
  expect(keyOf('{}')).toEqual(['wrong_list', ''])
  expect(keyOf('[{}, {"colour": "red"}]')).toEqual(['wrong_rule', 'colour'])
  expect(keyOf('[{"send_to": "pacs"}]')).toEqual(['wrong_rule', 'send_to'])
  expect(keyOf('[{"analyse": "yes"}]')).toEqual(['wrong_rule', 'analyse'])
  expect(keyOf('[3]')).toEqual(['wrong_rule', '{…}'])
})

test('a rule that sends needs a destination, an analysis and something to send', () => {
  const sends = { ...NEW_RULE, send_to: ['pacs'] }
  expect(wrongIn(sends, [pacs])).toEqual({})
  expect(wrongIn(sends, []).send_to?.values).toEqual({ name: 'pacs' })
  expect(wrongIn({ ...sends, analyse: false }, [pacs]).send_to?.key).toBe('wrong_not_analysed')
  expect(wrongIn({ ...sends, forms: [] }, [pacs]).forms?.key).toBe('wrong_no_forms')
  expect(wrongIn({ ...NEW_RULE, analyse: false }, [])).toEqual({})
})

test('a rule keeps words that the form does not offer by itself', () => {
  expect(choices(MODALITIES, ['CT', 'US'])).toEqual(['US', 'MR', 'CT'])
})

test('the order can be changed, since the first rule that fits counts', () => {
  const names = (rules: readonly { name: string }[]) => rules.map(({ name }) => name)
  const rules = ['a', 'b', 'c'].map((name) => ({ ...NEW_RULE, name }))
  expect(names(moved(rules, 2, -1))).toEqual(['a', 'c', 'b'])
  expect(names(moved(rules, 0, 1))).toEqual(['b', 'a', 'c'])
})
