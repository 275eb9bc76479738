/** What the page says. A language that lacks a key does not compile. */

import { useMemo } from 'preact/hooks'
import { usePage } from '../store/page'
import type { Language } from '../store/state'
import { EN } from './en'
import { FR } from './fr'

export type Key = keyof typeof EN
const TABLES: Record<Language, Record<Key, string>> = { en: EN, fr: FR }

/** A text, with `{name}` replaced by values. */
export function say(language: Language, key: Key, values: Record<string, string | number> = {}): string {
  return TABLES[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

export const isKey = (key: string): key is Key => key in EN

export type Say = (key: Key, values?: Record<string, string | number>) => string

export function useWords(): Say {
  const language = usePage((state) => state.language)
  return useMemo(() => (key, values) => say(language, key, values), [language])
}
