/** The sentences of checks in the language of the page, by the report's own table. */

import type { Flag } from '../api/types'
import type { Language } from '../store/state'
import tables from './tables.json'

const SENTENCES = tables.sentences as unknown as Readonly<Record<string, readonly (readonly [string, string])[]>>
const PARTS = tables.parts as Readonly<Record<string, string>>
const SHORT: Readonly<Record<string, string>> = { ED: 'TD', ES: 'TS' }

const patterns = new Map<string, RegExp>()

/** What finds a sentence, with whatever fills its places, behind the views and phases that head it. */
function patternOf(english: string): RegExp {
  let pattern = patterns.get(english)
  if (!pattern) {
    const literal = english.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>.+?)')
    patterns.set(english, (pattern = new RegExp(`^(?<heading_>(?:[^:]+: )*?)${literal}$`)))
  }
  return pattern
}

const decimals = (text: string): string => text.replace(/(\d)\.(?=\d)/g, '$1,')

/** A view, a phase or a part of the heart before a colon. */
const headed = (part: string): string =>
  SHORT[part] ?? PARTS[part] ?? part.replace(/\b(ED|ES)\b/g, (phase) => SHORT[phase]!)

/** The sentence of a flag; in English, as it was said, where the table has no other. */
export function sentenceOf(flag: Flag, language: Language): string {
  if (language !== 'fr') return flag.text
  for (const [english, french] of SENTENCES[flag.rule] ?? []) {
    const { heading_: heading, ...places } = patternOf(english).exec(flag.text)?.groups ?? {}
    if (heading === undefined) continue
    const filled = french.replace(/\{(\w+)\}/g, (_, name: string) => PARTS[places[name] ?? ''] ?? decimals(places[name] ?? ''))
    const heads = heading.split(': ').filter(Boolean)
    return heads.map((part) => `${headed(part)} : `).join('') + filled
  }
  return flag.text
}
