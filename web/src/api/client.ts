/** The server's `/api/v1`, typed. */

import { readContainer, type Container } from './container'
import { isReading, pathOf, studyOf, studyOfReading } from './reading'
import type {
  Agreement,
  AnalyseOptions,
  ArchiveQuestion,
  Destination,
  Destinations,
  EditAnswer,
  FoundStudy,
  Gesture,
  Job,
  NodeTold,
  Problem,
  ReaderStudy,
  Reading,
  ReadingStudy,
  Rule,
  Rules,
  Segments,
  Study,
  Summary,
  Traces,
  UploadFile,
  Which,
} from './types'

const ROOT = 'api/v1'

/** What the server refused, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly body: unknown,
  ) {
    super(problem.remedy ? `${problem.text}; ${problem.remedy}` : problem.text)
  }
}

export interface StudyQuery {
  search?: string
  state?: string
  sort?: 'created' | 'name' | 'ejection_fraction' | 'grade'
  order?: 'asc' | 'desc'
  limit?: number
  offset?: number
}

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const problem = (body as { error?: Problem } | null)?.error
  return new ApiError(response.status, problem ?? { text: `the server answered ${response.status}`, remedy: null }, body)
}

export class Api {
  /** Name of the person who works, in the journal of edits. */
  person = ''

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.person) headers.set('X-Person', encodeURIComponent(this.person))
    const response = await fetch(`${ROOT}${path}`, { ...init, headers })
    if (!response.ok) throw await refusal(response)
    return response
  }

  private async json<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const init: RequestInit = { method, headers }
    if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = { ...headers, 'Content-Type': 'application/json' }
    }
    const response = await this.request(path, init)
    const text = await response.text()
    return (text ? JSON.parse(text) : null) as T
  }

  private async container(path: string): Promise<Container> {
    return readContainer(await (await this.request(path)).arrayBuffer())
  }

  // Work list

  studies(query: StudyQuery = {}): Promise<{ total: number; studies: Summary[] }> {
    const words = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') words.set(key, String(value))
    return this.json('GET', `/studies?${words}`)
  }

  deleteStudy(id: string): Promise<void> {
    return this.json('DELETE', `/studies/${id}`)
  }

  analyse(id: string, options: AnalyseOptions): Promise<{ job: string }> {
    return this.json('POST', `/studies/${id}/analyse`, { options })
  }

  job(id: string): Promise<Job> {
    return this.json('GET', `/jobs/${id}`)
  }

  cancel(job: string): Promise<void> {
    return this.json('DELETE', `/jobs/${job}`)
  }

  thumbnail(study: Summary): string {
    return `${ROOT}/studies/${study.id}/thumbnail?version=${study.version}`
  }

  events(): EventSource {
    return new EventSource(`${ROOT}/events`)
  }

  // Uploads

  startUpload(): Promise<{ id: string }> {
    return this.json('POST', '/uploads')
  }

  async sendPart(upload: string, n: number, name: string, offset: number, part: Blob): Promise<number> {
    const words = new URLSearchParams({ name, offset: String(offset) })
    const response = await this.request(`/uploads/${upload}/files/${n}?${words}`, { method: 'PUT', body: part })
    return ((await response.json()) as { received: number }).received
  }

  uploaded(upload: string): Promise<{ files: UploadFile[] }> {
    return this.json('GET', `/uploads/${upload}`)
  }

  finishUpload(upload: string): Promise<{ job: string }> {
    return this.json('POST', `/uploads/${upload}/finish`)
  }

  dropUpload(upload: string): Promise<void> {
    return this.json('DELETE', `/uploads/${upload}`)
  }

  // The program

  about(): Promise<{ models: { name: string }[] }> {
    return this.json('GET', '/system/about')
  }

  // One study, or one reading of it

  async study(id: string): Promise<Study> {
    if (!isReading(id)) return this.json('GET', `/studies/${id}`)
    return studyOfReading(id, await this.json<ReadingStudy>('GET', pathOf(id)))
  }

  frames(id: string, image: string): Promise<Container> {
    return this.container(`/studies/${studyOf(id)}/images/${encodeURIComponent(image)}/frames`)
  }

  labels(id: string, image: string, of: Which): Promise<Container> {
    return this.container(`${pathOf(id)}/images/${encodeURIComponent(image)}/labels?of=${of}`)
  }

  traces(id: string, image: string, of: Which): Promise<Traces> {
    return this.json('GET', `${pathOf(id)}/images/${encodeURIComponent(image)}/traces?of=${of}`)
  }

  exported(id: string, form: string, of: Which, language: string): string {
    return `${ROOT}/studies/${id}/export/${form}?of=${of}&language=${language}`
  }

  /** Where the segments of the wall lie in the version that is current; of readings nothing is exported. */
  async segments(id: string): Promise<Segments> {
    if (isReading(id)) return {}
    const { images } = await this.json<{ images: Segments }>('GET', `/studies/${id}/export/segments.json?language=en`)
    return images
  }

  /** A file at an address as `exported` gives it, and the name that the server gave it. */
  async file(path: string): Promise<{ content: Blob; name: string | null }> {
    const response = await this.request(path.slice(ROOT.length))
    const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? null
    return { content: await response.blob(), name }
  }

  // Sending

  destinations(): Promise<Destinations> {
    return this.json('GET', '/pacs/destinations')
  }

  /** Refused where others saved some since `version`. */
  setDestinations(destinations: readonly Destination[], version: string): Promise<Destinations> {
    return this.json('PUT', '/pacs/destinations', { destinations, version })
  }

  echo(name: string): Promise<void> {
    return this.json('POST', `/pacs/destinations/${encodeURIComponent(name)}/echo`)
  }

  node(): Promise<NodeTold> {
    return this.json('GET', '/pacs/node')
  }

  async askArchive(question: ArchiveQuestion): Promise<FoundStudy[]> {
    return (await this.json<{ studies: FoundStudy[] }>('POST', '/pacs/query', question)).studies
  }

  retrieve(archive: string, study_uid: string): Promise<{ job: string }> {
    return this.json('POST', '/pacs/retrieve', { archive, study_uid })
  }

  rules(): Promise<Rules> {
    return this.json('GET', '/rules')
  }

  /** Refused where others saved some since `version`. */
  setRules(rules: readonly Rule[], version: string): Promise<Rules> {
    return this.json('PUT', '/rules', { rules, version })
  }

  send(id: string, to: string, forms: readonly string[]): Promise<{ job: string }> {
    return this.json('POST', `/studies/${id}/send`, { to, forms })
  }

  // Editing

  lease(id: string): Promise<{ lease: string; expires: string }> {
    return this.json('POST', `${pathOf(id)}/lease`)
  }

  holdLease(id: string, lease: string): Promise<{ expires: string }> {
    return this.json('PUT', `${pathOf(id)}/lease`, undefined, { 'X-Lease': lease })
  }

  dropLease(id: string, lease: string): Promise<void> {
    const init = { method: 'DELETE', headers: { 'X-Lease': lease }, keepalive: true } // also while the page is being left
    return this.request(`${pathOf(id)}/lease`, init).then(() => undefined)
  }

  edit(id: string, lease: string, baseVersion: number, gesture: Gesture): Promise<EditAnswer> {
    return this.json('POST', `${pathOf(id)}/edits`, { base_version: baseVersion, gesture }, { 'X-Lease': lease })
  }

  edits(id: string): Promise<{ version: number; time: string; by: string; gesture: Gesture; undone: boolean }[]> {
    return this.json('GET', `/studies/${id}/edits`)
  }

  sign(id: string, version: number, name: string): Promise<{ version: number; checksum: string; time: string }> {
    return this.json('POST', `/studies/${id}/sign`, { version, name })
  }

  // Reader studies

  readerStudies(): Promise<ReaderStudy[]> {
    return this.json('GET', '/reader-studies')
  }

  readerStudy(id: string): Promise<ReaderStudy> {
    return this.json('GET', `/reader-studies/${id}`)
  }

  makeReaderStudy(name: string, studies: readonly string[], readers: readonly string[]): Promise<ReaderStudy> {
    return this.json('POST', '/reader-studies', { name, studies, readers })
  }

  deleteReaderStudy(id: string): Promise<void> {
    return this.json('DELETE', `/reader-studies/${id}`)
  }

  endReading(id: string): Promise<Reading> {
    return this.json('POST', `${pathOf(id)}/done`)
  }

  async agreement(id: string): Promise<Agreement[]> {
    return (await this.json<{ rows: Agreement[] }>('GET', `/reader-studies/${id}/agreement.json`)).rows
  }

  /** Address of the table of agreement. */
  agreementTable(id: string): string {
    return `${ROOT}/reader-studies/${id}/agreement.csv`
  }
}
