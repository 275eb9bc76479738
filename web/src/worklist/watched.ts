/** Jobs that a page waits for, such as the fetching of a study. */

import type { Job } from '../api/types'
import { api, page, usePage } from '../store/page'

const hasEnded = ({ state }: Job): boolean => state !== 'queued' && state !== 'running'

/** Follows a job from now on. */
export async function watch(id: string): Promise<void> {
  const job = await api.job(id)
  page.set(({ jobs }) => ({ jobs: { ...jobs, [id]: job } }))
}

/** Something was said about a job. */
export function heardOfWatched(job: Job): void {
  if (page.get().jobs[job.id]) page.set(({ jobs }) => ({ jobs: { ...jobs, [job.id]: job } }))
}

/** Asks for those that may have gone on while nothing was heard. */
export async function settleWatched(): Promise<void> {
  for (const job of Object.values(page.get().jobs)) if (!hasEnded(job)) heardOfWatched(await api.job(job.id))
}

export const useJob = (id: string | undefined): Job | undefined => usePage(({ jobs }) => (id ? jobs[id] : undefined))
