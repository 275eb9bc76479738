/** The store of the page, and how components follow it. */

import { useEffect, useState } from 'preact/hooks'
import { Api } from '../api/client'
import { INITIAL, type ExamState, type State } from './state'
import { Store } from './store'

export const api = new Api()
export const page = new Store<State>(INITIAL)

/** Draws a component again when what it chooses changes. */
export function usePage<Chosen>(choose: (state: State) => Chosen): Chosen {
  const [chosen, choosen] = useState(() => choose(page.get()))
  useEffect(() => {
    choosen(() => choose(page.get()))
    return page.watch(choose, (next) => choosen(() => next))
  }, [])
  return chosen
}

/** Changes the exam that is open; without one nothing happens. */
export function setExam(change: Partial<ExamState> | ((exam: ExamState) => Partial<ExamState>)): void {
  page.set(({ exam }) => {
    if (!exam) return {}
    return { exam: { ...exam, ...(typeof change === 'function' ? change(exam) : change) } }
  })
}
