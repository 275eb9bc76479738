/** Follows what the server says, and begins again where the connection ends. */

import type { Job, Summary } from '../api/types'
import { edits } from '../editing/state'
import { api, page, setExam } from '../store/page'
import { openStudy } from '../viewer/load'
import { heardOfJob, settle } from './upload'
import { heardOfWatched, settleWatched } from './watched'

export async function refresh(): Promise<void> {
  const { search, sort, order } = page.get().list
  try {
    const { studies, total } = await api.studies({ search, sort, order, limit: 500 })
    const now = page.get().list
    if (now.search !== search || now.sort !== sort || now.order !== order) return
    page.set({ list: { ...now, studies, total, loaded: true } })
  } catch (error) {
    page.set({ problem: error instanceof Error ? error.message : String(error) })
  }
}

let soon: ReturnType<typeof setTimeout> | null = null

export function refreshSoon(): void {
  soon ??= setTimeout(() => {
    soon = null
    void refresh()
  }, 300)
}

/** A study changed. One that is shown takes its new place in the list when that is asked for again. */
export function heardOfStudy(summary: Summary): void {
  const { list, exam, opening, route } = page.get()
  const before = list.studies.find(({ id }) => id === summary.id)
  if (!before || before.state !== summary.state) refreshSoon()
  if (before) page.set({ list: { ...list, studies: list.studies.map((each) => (each.id === summary.id ? { ...each, ...summary } : each)) } })
  if (route.page !== 'study' || route.id !== summary.id) return
  // Another analysis failed: what was found before stands, and the person who asked is told why.
  if (exam && exam.study.state !== 'done' && summary.state === 'done' && summary.error)
    page.set({ problem: [summary.error.text, summary.error.remedy].filter(Boolean).join('; ') })
  if (opening && !exam) {
    if (summary.state === 'done' || summary.state === 'failed') void openStudy(summary.id)
    return
  }
  if (!exam) return
  // A version that our own gesture makes is heard of before the answer to it.
  const isOurs = edits.get().waiting > 0
  const isOther = summary.version > exam.study.version && summary.state === 'done' && !isOurs
  if (isOther || (exam.study.state !== 'done' && summary.state === 'done')) void openStudy(summary.id)
  else setExam(({ study }) => ({ study: { ...study, ...summary } }))
}

/** A study is no more, here or for another person. */
function heardOfDeletion(id: string): void {
  const { list, route } = page.get()
  page.set({ list: { ...list, studies: list.studies.filter((each) => each.id !== id) } })
  if (route.page === 'study' && route.id === id) location.hash = '#/'
  refreshSoon()
}

const FIRST_WAIT = 500
const LONGEST_WAIT = 15000

/** Listens until it is told to end. A browser tries again by itself only while the server answers well. */
export function follow(): () => void {
  let source: EventSource | null = null
  let again: ReturnType<typeof setTimeout> | null = null
  let wait = FIRST_WAIT
  const begin = () => {
    source = api.events()
    source.onopen = () => {
      wait = FIRST_WAIT
      page.set({ online: true })
      void refresh()
      for (const asked of [settle(), settleWatched()]) asked.catch(() => undefined) // the list tells as well
    }
    source.onerror = () => {
      page.set({ online: false })
      if (source?.readyState !== EventSource.CLOSED) return
      again = setTimeout(begin, wait)
      wait = Math.min(LONGEST_WAIT, wait * 2)
    }
    source.addEventListener('study', (event) => heardOfStudy(JSON.parse((event as MessageEvent<string>).data) as Summary))
    source.addEventListener('deleted', (event) => heardOfDeletion((JSON.parse((event as MessageEvent<string>).data) as { id: string }).id))
    source.addEventListener('resync', () => void refresh())
    source.addEventListener('job', (event) => {
      const job = JSON.parse((event as MessageEvent<string>).data) as Job
      heardOfJob(job)
      heardOfWatched(job)
    })
  }
  begin()
  return () => {
    source?.close()
    if (again) clearTimeout(again)
  }
}
