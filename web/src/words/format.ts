/** Numbers, dates and the field's words in the language of the page. What quantities are called comes from the report. */

import type { Quantity, Study } from '../api/types'
import type { Language } from '../store/state'
import tables from './tables.json'

type Strings = Readonly<Record<string, { en: string; fr: string }>>

const found = (strings: Strings, key: string, language: Language): string => strings[key]?.[language] ?? ''

const plain = (name: string): string => {
  const words = name.replace(/_/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export const term = (name: string, language: Language): string => found(tables.terms, name, language) || plain(name)

type Words = Readonly<Record<string, string>>
const PARTS_OF_CURVES = tables.curves as unknown as Strings
const CHAMBERS = ['left_ventricular', 'right_ventricular', 'left_atrial', 'right_atrial'] as const

/** What a curve shows, without its unit: "LV volume". */
export function curveName(name: string, language: Language, own: Words = {}): string {
  const chamber = CHAMBERS.find((each) => name.startsWith(`${each}_`))
  if (!chamber) return term(name, language)
  const rest = name.slice(chamber.length + 1)
  const what = own[rest] ?? (found(PARTS_OF_CURVES, rest, language) || found(tables.segment_values, rest, language))
  if (!what) return term(name, language)
  const whose = found(PARTS_OF_CURVES, chamber, language)
  return language === 'fr' ? `${what.charAt(0).toUpperCase()}${what.slice(1)} ${whose}` : `${whose} ${what.charAt(0).toLowerCase()}${what.slice(1)}`
}

export const method = (name: string, language: Language): string => found(tables.methods, name, language) || name

export const segmentValues = (name: string, language: Language): string =>
  found(tables.segment_values, name, language) || plain(name)

/** French has a short word for a rule; English has the sentence alone. */
export const rule = (name: string, language: Language): string =>
  language === 'fr' ? ((tables.rules as Record<string, string>)[name] ?? '') : ''

export const sign = (unit: string): string => (tables.signs as Record<string, string>)[unit] ?? unit

export function digitsOf(unit: string, name = ''): number {
  if (name.includes('strain') && unit === 'percent') return 1
  return (tables.digits as Record<string, number>)[unit] ?? 0
}

/** A number with fixed digits, the decimal mark of the language, and a true minus. */
export function number(value: number, digits: number, language: Language): string {
  if (!Number.isFinite(value)) return '–'
  const text = value.toFixed(digits).replace(/^-(0(?:\.0*)?)$/, '$1').replace('-', '−')
  return language === 'fr' ? text.replace('.', ',') : text
}

export const quantity = (value: number, unit: string, name: string, language: Language): string =>
  number(value, digitsOf(unit, name), language)

export function interval(low: number, high: number, unit: string, name: string, language: Language): string {
  const ends = [low, high].map((end) => quantity(end, unit, name, language))
  return Math.min(low, high) < 0 ? ends.join(language === 'fr' ? ' à ' : ' to ') : ends.join('–')
}

export function intervalNote(of: string, share: number, language: Language): string {
  return found(tables.intervals, of, language).replace('{share}', number(100 * share, 0, language))
}

export function date(text: string, language: Language): string {
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) return text
  return time.toLocaleString(language === 'fr' ? 'fr-FR' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short' })
}

export const headline: readonly string[] = tables.headline

export interface Range {
  sex: string
  low: number
  high: number | null
  source: string
}

const isOf = (pattern: string, view: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`).test(view)

/** Whom ranges are for, as far as it is known. */
export interface Patient {
  sex: string | null
  papillaries: 'cavity' | 'mass'
  isChild: boolean
}

export function patientOf({ measures, options }: Pick<Study, 'measures' | 'options'>): Patient {
  return {
    sex: options?.sex ?? null,
    papillaries: measures.provenance?.given?.['papillaries'] === 'mass' ? 'mass' : 'cavity',
    isChild: measures.flags.some((flag) => flag.rule === 'under-18'),
  }
}

/** Reference ranges that were made for such a value and patient: one for each sex that it may be, or none. */
export function rangesOf({ name, unit, view, method: how }: Quantity, { sex, papillaries, isChild }: Patient): Range[] {
  if (isChild) return []
  const key = `${name}_${unit.replace('/', '_per_')}`
  return tables.ranges.filter(
    (range) =>
      range.key === key &&
      range.methods.includes(how) &&
      (range.papillaries === null || range.papillaries === papillaries) &&
      (sex === null || range.sex === sex) &&
      range.views.some((pattern) => isOf(pattern, view)),
  )
}
