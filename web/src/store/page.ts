/** The store of the page, and how components follow it. */

import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import { Api } from '../api/client'
import { INITIAL, type ExamState, type State } from './state'
import { Store } from './store'

export const api = new Api()
export const page = new Store<State>(INITIAL)

/** What a component chooses of the state; it is drawn again when that changes. */
export function usePage<Chosen>(choose: (state: State) => Chosen): Chosen {
  const [, drawAgain] = useReducer((count: number) => count + 1, 0)
  const chosen = choose(page.get())
  const last = useRef({ choose, chosen })
  last.current = { choose, chosen }
  useLayoutEffect(() => {
    const look = () => {
      const { choose: chooseNow, chosen: before } = last.current
      if (!Object.is(chooseNow(page.get()), before)) drawAgain(0)
    }
    look() // what changed before this listened
    return page.subscribe(look)
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

/** The frame that a film shows. What follows it stands in components of its own: nothing else is drawn again while it plays. */
export const useFrame = (image: string): number => usePage(({ exam }) => exam?.frame[image] ?? 0)
