/** The store of the page, and how components follow it. */

import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import { Api } from '../api/client'
import { INITIAL, type ExamState, type State } from './state'
import { Store } from './store'

export const api = new Api()
export const page = new Store<State>(INITIAL)

/** What a component chooses of the state; it is drawn again when that changes. */
export const usePage = <Chosen>(choose: (state: State) => Chosen): Chosen => useChosen(choose, () => true)

/** How often words and curves follow a film that plays: pages are laid out anew for them, which pictures need not be. */
const FOLLOWED_MS = 100

/** As `usePage`, of what changes with each frame: while a film plays it is followed a few times a second, then at once. */
export function useFilm<Chosen>(choose: (state: State) => Chosen): Chosen {
  const followed = useRef(0)
  return useChosen(choose, ({ exam }) => {
    const now = Number(document.timeline.currentTime) // one for all who look before the same picture of the screen
    if (exam?.playing && now - followed.current < FOLLOWED_MS) return false
    followed.current = now
    return true
  })
}

function useChosen<Chosen>(choose: (state: State) => Chosen, isLooking: (state: State) => boolean): Chosen {
  const [, drawAgain] = useReducer((count: number) => count + 1, 0)
  const chosen = choose(page.get())
  const last = useRef({ choose, chosen, isLooking })
  last.current = { choose, chosen, isLooking }
  useLayoutEffect(() => {
    const look = () => {
      const { choose: chooseNow, chosen: before, isLooking: isLookingNow } = last.current
      if (isLookingNow(page.get()) && !Object.is(chooseNow(page.get()), before)) drawAgain(0)
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
export const useFrame = (image: string): number => useFilm(({ exam }) => exam?.frame[image] ?? 0)
