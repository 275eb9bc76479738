/** Sends files, one a request and in parts, and goes on where a connection broke. */

import { ApiError } from '../api/client'
import type { Job } from '../api/types'
import { api, page } from '../store/page'
import type { Upload } from '../store/state'
import type { Found } from './drop'

const PART = 8 * 2 ** 20
const AT_ONCE = 3
const TRIES = 6

export interface Sender {
  sendPart(upload: string, n: number, name: string, offset: number, part: Blob): Promise<number>
}

const waitFor = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What the server holds of a file that it refused to go on with. */
function heldOf(error: unknown): number | null {
  if (!(error instanceof ApiError) || error.status !== 409) return null
  const received = (error.body as { received?: unknown } | null)?.received
  return typeof received === 'number' ? received : null
}

const isPassing = (error: unknown): boolean => !(error instanceof ApiError) || error.status >= 500 || error.status === 429

/**
 * Sends one file.
 *
 * @param wait How long to wait after so many failures, in ms.
 */
export async function sendFile(
  to: Sender,
  upload: string,
  n: number,
  { name, file }: Found,
  onSent: (bytes: number) => void,
  wait: (failures: number) => Promise<void> = (failures) => waitFor(250 * 2 ** failures),
): Promise<void> {
  let offset = 0
  let failures = 0
  do {
    try {
      const received = await to.sendPart(upload, n, name, offset, file.slice(offset, offset + PART))
      onSent(received - offset)
      offset = received
      failures = 0
    } catch (error) {
      const held = heldOf(error)
      if (held !== null && held <= file.size && failures < TRIES) {
        failures++
        onSent(held - offset)
        offset = held
        continue
      }
      if (!isPassing(error) || ++failures > TRIES) throw error
      await wait(failures)
    }
  } while (offset < file.size)
}

function change(id: string, to: (upload: Upload) => Partial<Upload>): void {
  page.set(({ list }) => ({
    list: { ...list, uploads: list.uploads.map((each) => (each.id === id ? { ...each, ...to(each) } : each)) },
  }))
}

const nameOf = (found: readonly Found[]): string => {
  const first = found[0]!.name.split('/')[0]!
  return found.length === 1 || found.every(({ name }) => name.startsWith(`${first}/`)) ? first : `${first} + ${found.length - 1}`
}

/** Sends all, then waits until the server has looked for exams in them. */
export async function upload(found: readonly Found[]): Promise<void> {
  if (!found.length) return
  let id = ''
  try {
    id = (await api.startUpload()).id
    const total = found.reduce((sum, { file }) => sum + file.size, 0)
    const fresh: Upload = { id, name: nameOf(found), done: 0, total, state: 'sending', said: [] }
    page.set(({ list }) => ({ list: { ...list, uploads: [...list.uploads, fresh] } }))
    const queue = found.map((each, n) => ({ each, n }))
    const work = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        await sendFile(api, id, next.n, next.each, (bytes) => change(id, ({ done }) => ({ done: done + bytes })))
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, work))
    change(id, () => ({ state: 'finding' }))
    jobs.set((await api.finishUpload(id)).job, id)
    await settle()
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    if (id) change(id, () => ({ state: 'failed', said: [text] }))
    else page.set({ problem: text })
  }
}

/** Uploads whose exams are looked for, by the job that does it. */
const jobs = new Map<string, string>()

/** Something was said about a job. */
export function heardOfJob(job: Job): void {
  const id = jobs.get(job.id)
  if (!id || job.state === 'queued' || job.state === 'running') return
  jobs.delete(job.id)
  const result = job.result as { studies?: string[]; left_out?: string[] } | null
  const said = [...(job.error ? [job.error.text] : []), ...(result?.left_out ?? [])]
  const isFailed = job.state !== 'done' || !result?.studies?.length
  change(id, () => ({ state: isFailed ? 'failed' : 'done', said }))
  if (!isFailed && !said.length) setTimeout(() => dismiss(id), 4000)
}

/** Asks, in case that a job was done before the events told of it. */
export async function settle(): Promise<void> {
  for (const job of jobs.keys()) heardOfJob(await api.job(job))
}

export const dismiss = (id: string): void =>
  page.set(({ list }) => ({ list: { ...list, uploads: list.uploads.filter((each) => each.id !== id) } }))
