/** What is known of an exam before it is analysed again, and what of it a person said otherwise. */

import type { AnalyseOptions, Study } from '../api/types'
import type { Cine } from '../store/state'

export const NUMBERS = ['frame_rate_hz', 'heart_rate', 'height_cm', 'weight_kg'] as const
const FIELDS = ['row', 'column', ...NUMBERS] as const

export type Field = (typeof FIELDS)[number]

/** What the form holds: words as they are typed. */
export interface Answers {
  /** By name of the image. */
  views: Readonly<Record<string, string>>
  typed: Readonly<Record<Field, string>>
  sex: string
  /** Name of the model for every image; "" for the one that fits best. */
  model: string
  language: string
}

/** What files say, and what a person said in their place at the analysis before. */
export interface KnownFacts {
  found: Readonly<Partial<Record<Field, number>>>
  said: AnalyseOptions
  /** As they are shown now, by name of the image. */
  views: Readonly<Record<string, string>>
}

/** A number that was typed, in either language; null where nothing was, or no number above zero. */
export function numberOf(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() && Number.isFinite(value) && value > 0 ? value : null
}

const written = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(Number(value.toPrecision(6)))

/** The value that all images have; nothing where they differ. */
function common(values: readonly (number | null | undefined)[]): number | undefined {
  const [first] = values
  return first !== null && first !== undefined && values.every((each) => each === first) ? first : undefined
}

const rateOf = ({ hasTimes, times_ms, info }: Cine): number | undefined =>
  hasTimes && info.frames > 1 ? (1000 * (info.frames - 1)) / times_ms[info.frames - 1]! : undefined

/** What is known of a study; of one whose images are not here only what a person said. */
export function knownOf(study: Pick<Study, 'images' | 'options'>, cines: readonly Cine[]): KnownFacts {
  const sizes = study.images.map(({ spacing_mm }) => spacing_mm)
  const films = cines.filter(({ info }) => info.frames > 1)
  const found: Partial<Record<Field, number | undefined>> = {
    row: common(sizes.map((each) => each?.[0])),
    column: common(sizes.map((each) => each?.[1])),
    frame_rate_hz: common(films.map((film) => Number(written(rateOf(film))) || undefined)),
    heart_rate: common(cines.map((each) => each.heart_rate)),
  }
  return {
    found: Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)),
    said: study.options ?? {},
    views: Object.fromEntries(study.images.map(({ name, view }) => [name, view])),
  }
}

/** How the form begins: with what a person said before, else with what the files say. */
export function answersOf({ found, said, views }: KnownFacts, language: string): Answers {
  const numbers: Partial<Record<Field, number | null | undefined>> = { ...said, row: said.spacing_mm?.[0], column: said.spacing_mm?.[1] }
  return {
    views,
    typed: Object.fromEntries(FIELDS.map((name) => [name, written(numbers[name] ?? found[name])])) as Record<Field, string>,
    sex: said.sex ?? '',
    model: said.model ?? '',
    language: said.language ?? language,
  }
}

export const isWrong = ({ typed }: Answers): boolean => FIELDS.some((name) => typed[name].trim() !== '' && numberOf(typed[name]) === null)

export const isHalf = ({ typed }: Answers): boolean => (typed.row.trim() === '') !== (typed.column.trim() === '')

/** What is to be said to the analysis: what stays as the files say is not said, so that it is not taken for a person's word. */
export function optionsOf(known: KnownFacts, answers: Answers): AnalyseOptions {
  const { said } = known
  const began = answersOf(known, answers.language)
  const isFound = (name: Field) => answers.typed[name].trim() === began.typed[name]
  const value = (name: (typeof NUMBERS)[number]) => (isFound(name) && !said[name] ? null : numberOf(answers.typed[name]))
  const [row, column] = [numberOf(answers.typed.row), numberOf(answers.typed.column)]
  const hasSize = row !== null && column !== null && (said.spacing_mm || !isFound('row') || !isFound('column'))
  const isSameSize = hasSize && isFound('row') && isFound('column')
  const views = Object.entries(answers.views).filter(([name, view]) => view !== known.views[name] || said.views?.[name])
  return {
    views: Object.fromEntries(views),
    // A distance of slices that was said before stays with its sizes.
    spacing_mm: !hasSize ? null : isSameSize ? said.spacing_mm! : [row, column],
    ...Object.fromEntries(NUMBERS.map((name) => [name, value(name)])),
    sex: answers.sex || null,
    model: answers.model || null,
    language: answers.language,
  }
}
