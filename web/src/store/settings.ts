/** What this browser remembers: language and brightness. */

import { page } from './page'
import type { Language, Route, State, Theme } from './state'

const KEY = 'cardiotrace-page'

function keep(): void {
  const { language, themes } = page.get()
  try {
    localStorage.setItem(KEY, JSON.stringify({ language, themes }))
  } catch {
    // a browser that keeps nothing begins anew
  }
}

const isTheme = (value: unknown): value is Theme => value === 'dark' || value === 'light'

export function recallSettings(): void {
  const own: Language = navigator.language.startsWith('fr') ? 'fr' : 'en'
  let kept: { language?: unknown; themes?: Partial<Record<Route['page'], unknown>> } = {}
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as typeof kept
  } catch {
    // as above
  }
  const themes: State['themes'] = {
    list: isTheme(kept.themes?.list) ? kept.themes.list : 'dark',
    study: isTheme(kept.themes?.study) ? kept.themes.study : 'dark',
  }
  page.set({ language: kept.language === 'fr' || kept.language === 'en' ? kept.language : own, themes })
}

export function setLanguage(language: Language): void {
  page.set({ language })
  keep()
}

/** The list and the exam each have their own. */
export function toggleTheme(): void {
  page.set(({ themes, route }) => ({ themes: { ...themes, [route.page]: themes[route.page] === 'dark' ? 'light' : 'dark' } }))
  keep()
}

export function readRoute(): void {
  const found = /^#\/studies\/([^/?]+)/.exec(location.hash)
  page.set({ route: found ? { page: 'study', id: decodeURIComponent(found[1]!) } : { page: 'list' } })
}
