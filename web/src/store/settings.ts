/** What this browser remembers: language and brightness. */

import { readingId } from '../api/reading'
import { page } from './page'
import { surfaceOf, type Language, type Route, type State, type Surface, type Theme } from './state'

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
  let kept: { language?: unknown; themes?: Partial<Record<Surface, unknown>> } = {}
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

/** The exam has its own. */
export function toggleTheme(): void {
  page.set(({ themes, route }) => ({ themes: { ...themes, [surfaceOf(route)]: themes[surfaceOf(route)] === 'dark' ? 'light' : 'dark' } }))
  keep()
}

const ROUTES: readonly [RegExp, (...parts: string[]) => Route][] = [
  [/^#\/studies\/([^/?]+)/, (id) => ({ page: 'study', id: id! })],
  [/^#\/reader-studies\/new$/, () => ({ page: 'new-readers' })],
  [/^#\/reader-studies\/([^/?]+)\/readings\/([^/?]+)/, (group, study) => ({ page: 'study', id: readingId(group!, study!) })],
  [/^#\/reader-studies\/([^/?]+)/, (id) => ({ page: 'reader-study', id: id! })],
  [/^#\/reader-studies/, () => ({ page: 'readers' })],
  [/^#\/archives/, () => ({ page: 'archives' })],
]

/** The page that an address names; the list where it names none. */
export function routeOf(hash: string): Route {
  for (const [pattern, make] of ROUTES) {
    const found = pattern.exec(hash)
    if (found) return make(...found.slice(1).map(decodeURIComponent))
  }
  return { page: 'list' }
}

export const readRoute = (): void => page.set({ route: routeOf(location.hash) })
