/** Rules as data, as text, and what is wrong about them. */

import type { Destination, Form, Origin, Rule } from '../api/types'
import type { Key } from '../words'

export const ORIGINS: readonly Origin[] = ['dicom', 'upload', 'inbox']
export const MODALITIES: readonly string[] = ['US', 'MR']
export const FORMS: readonly Form[] = ['segmentations', 'structured-report', 'pages', 'pdf']

/** A rule that says what happens without one; it is for studies that come by DICOM. */
export const NEW_RULE: Rule = { name: '', origins: ['dicom'], modalities: [], analyse: true, send_to: [], forms: ['segmentations', 'structured-report', 'pages'] }

/** All that may be chosen: the usual, and what a rule already names. */
export const choices = <Name extends string>(usual: readonly Name[], chosen: readonly Name[]): Name[] => [...new Set([...usual, ...chosen])]

export interface Wrong {
  key: Key
  values: Record<string, string | number>
}

/** Rules as the server takes them, a field a line. */
export function textOf(rules: readonly Rule[]): string {
  const plain = (value: unknown) => (Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(', ')}]` : JSON.stringify(value))
  const texts = rules.map((rule) => `  {\n${Object.entries(rule).map(([key, value]) => `    "${key}": ${plain(value)}`).join(',\n')}\n  }`)
  return texts.length ? `[\n${texts.join(',\n')}\n]` : '[]'
}

const LISTS = ['origins', 'modalities', 'send_to', 'forms'] as const

function wordsOf(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

/** What keeps a value from being a rule; empty where it is one. Whether its words are known the server says. */
function whyNoRule(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '{…}'
  const given = value as Record<string, unknown>
  const unknown = Object.keys(given).find((key) => !(key in NEW_RULE))
  if (unknown) return unknown
  if (given['name'] !== undefined && typeof given['name'] !== 'string') return 'name'
  if (given['analyse'] !== undefined && typeof given['analyse'] !== 'boolean') return 'analyse'
  return LISTS.find((key) => given[key] !== undefined && !wordsOf(given[key])) ?? ''
}

/** Rules that were typed; what is left out is as the server has it where it is left out. */
export function rulesIn(text: string): { rules: Rule[] } | { wrong: Wrong } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { wrong: { key: 'wrong_json', values: { text: error instanceof Error ? error.message : '' } } }
  }
  if (!Array.isArray(value)) return { wrong: { key: 'wrong_list', values: {} } }
  for (const [at, each] of value.entries()) {
    const why = whyNoRule(each)
    if (why) return { wrong: { key: 'wrong_rule', values: { n: at + 1, text: why } } }
  }
  return { rules: (value as Partial<Rule>[]).map((each) => ({ ...NEW_RULE, origins: [], ...each })) }
}

/** What makes no sense in a rule, by field. */
export function wrongIn(rule: Rule, destinations: readonly Destination[]): Partial<Record<'send_to' | 'forms', Wrong>> {
  if (!rule.send_to.length) return {}
  const missing = rule.send_to.find((name) => !destinations.some((each) => each.name === name))
  if (missing !== undefined) return { send_to: { key: 'wrong_destination', values: { name: missing } } }
  if (!rule.analyse) return { send_to: { key: 'wrong_not_analysed', values: {} } }
  return rule.forms.length ? {} : { forms: { key: 'wrong_no_forms', values: {} } }
}

/** The rules with one moved by so many places. */
export function moved(rules: readonly Rule[], at: number, by: number): Rule[] {
  const next = [...rules]
  const [rule] = next.splice(at, 1)
  next.splice(at + by, 0, rule!)
  return next
}
