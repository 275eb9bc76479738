/** An exam being edited: what a gesture does here at once, how it reaches the server, and what comes back. */

import { ApiError, type Api } from '../api/client'
import type { EditAnswer, Gesture } from '../api/types'
import { page, setExam } from '../store/page'
import { say } from '../words'
import type { Cine } from '../store/state'
import { Ledger, type Kept } from './numbers'
import { Drawer, type Entry, type Line, Outbox, type Verdict } from './outbox'
import { packed, unpacked } from './packing'
import { cineAt, type Content, contentOf, keyOf, type Place, putContents } from './planes'
import { edits, type Standing } from './state'

/** What a gesture changed here, to take it back or to show it again. */
export interface Undoing {
  readonly place: Place
  readonly before: Content
  readonly after: Content
  readonly kept: Kept | null
}

type Waiting = Entry<Undoing | null>

export interface Surroundings {
  readonly study: string
  readonly api: Pick<Api, 'lease' | 'holdLease' | 'dropLease' | 'edit' | 'study' | 'labels' | 'traces'>
  /** Name of the person who works; asked if it is not known; nothing if it is not given. */
  readonly askPerson: () => Promise<string | null>
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly later: (call: () => void, delay_ms: number) => () => void
  /** Now, ms. */
  readonly now: () => number
}

const HEARTBEAT_MS = 20_000
/** Without a gesture for so long the exam is given free for others. */
const IDLE_MS = 180_000

export class Exchange {
  readonly ledger = new Ledger()
  private readonly outbox: Outbox<Undoing | null>
  private readonly drawer: Drawer
  private lease: string | null = null
  private holding: ReturnType<Line<unknown>['hold']> | null = null
  private lastGesture = 0
  private cancelBeat: (() => void) | null = null
  private withdrawn: Waiting[] = []
  /** The plane that a hand is on: what the server says of it waits for the end of the gesture. */
  private inHand: Place | null = null
  private isStored = true

  constructor(private readonly around: Surroundings) {
    this.drawer = new Drawer(around.storage, around.study)
    this.outbox = new Outbox(this.line())
    const left = this.drawer.take()
    if (left.length > 0) this.outbox.offer(left.map((gesture) => ({ gesture, undoing: null })))
    const holder = page.get().exam?.study.lease?.holder
    if (holder && left.length === 0 && holder !== page.get().person) edits.set({ standing: 'other', holder })
  }

  /** Whether a gesture may begin; while another person works, it is asked again whether they still do. */
  mayBegin(): boolean {
    const { standing } = edits.get()
    if (standing === 'other' && this.outbox.waiting.length === 0) void this.lookAgain()
    return standing !== 'other' && standing !== 'changed' && standing !== 'left'
  }

  /** A hand takes hold of a plane. */
  begin(place: Place): void {
    this.inHand = place
    // So that the server has the exam ready when the hand lets go. Nobody is asked for a name in the middle of a gesture.
    if (page.get().person && !this.lease) void this.hold()
    const { exam } = page.get()
    if (exam) this.ledger.begin(exam.cines, exam.study)
  }

  /** The numbers of what is shown now. */
  follow(cine: Cine, frame: number): void {
    setExam((exam) => ({ provisional: this.ledger.numbers(exam.study, cine, frame) }))
  }

  /** The hand lets go without a change. */
  release(): void {
    this.inHand = null
    if (this.outbox.waiting.length === 0) setExam({ provisional: null })
  }

  /** The hand lets go: its gesture is sent. */
  finish(gesture: Gesture | Promise<Gesture>, place: Place, before: Content): Promise<void> {
    this.inHand = null
    const cine = cineAt(place)
    const after = cine && contentOf(cine, place)
    if (!cine || !after) return Promise.resolve()
    return this.add({ gesture, undoing: { place, before, after, kept: this.ledger.keep(cine, place.frame) } })
  }

  /** Sends a gesture that changes nothing here before the answer. */
  send(gesture: Gesture): Promise<void> {
    return this.mayBegin() ? this.add({ gesture, undoing: null }) : Promise.resolve()
  }

  get canUndo(): boolean {
    const ahead = this.outbox.waiting.map(({ gesture }) => ('kind' in gesture && gesture.kind === 'undo' ? -1 : 1))
    return ahead.reduce((steps: number, step) => steps + step, page.get().exam?.study.undo ?? 0) > 0
  }

  get canRedo(): boolean {
    return (page.get().exam?.study.redo ?? 0) > 0 || this.withdrawn.length > 0
  }

  undo(): Promise<void> {
    if (!this.canUndo) return Promise.resolve()
    const last = this.outbox.waiting.at(-1)?.undoing ? this.outbox.withdraw() : null
    if (!last) return this.send({ kind: 'undo' })
    // It never left: the server need not know of it.
    this.withdrawn.push(last)
    this.show(last, 'before')
    void this.store()
    if (this.outbox.waiting.length === 0) this.calm()
    return Promise.resolve()
  }

  redo(): Promise<void> {
    const last = this.withdrawn.pop()
    if (!last) return this.canRedo ? this.send({ kind: 'redo' }) : Promise.resolve()
    this.show(last, 'after')
    return this.enqueue(last)
  }

  /** Sends what was offered again. */
  accept(): Promise<void> {
    for (const entry of this.outbox.waiting) this.show(entry, 'after')
    return this.outbox.accept()
  }

  /** Forgets what was offered. */
  discard(): void {
    for (const entry of [...this.outbox.discard()].reverse())
      if (edits.get().standing !== 'changed') this.show(entry, 'before')
    void this.store()
    this.calm()
  }

  /** The network may be back. */
  retry(): Promise<void> {
    return this.outbox.retry()
  }

  /** Whether leaving the page now would lose a gesture. */
  get wouldLose(): boolean {
    return !this.isStored && this.outbox.waiting.length > 0
  }

  /** The exam is given free for others; the next gesture takes it again. */
  leave(): void {
    this.cancelBeat?.()
    const { lease } = this
    this.lease = null
    if (lease) void this.around.api.dropLease(this.around.study, lease).catch(() => undefined)
  }

  close(): void {
    this.outbox.close()
    this.leave()
  }

  private add(entry: Waiting): Promise<void> {
    this.withdrawn = []
    return this.enqueue(entry)
  }

  private enqueue(entry: Waiting): Promise<void> {
    this.lastGesture = this.around.now()
    edits.set({ said: '' })
    const sent = this.outbox.add(entry)
    void this.store()
    return sent
  }

  private show({ undoing }: Waiting, which: 'before' | 'after'): void {
    if (undoing) putContents([[undoing.place, undoing[which]]])
  }

  private calm(): void {
    this.ledger.forget()
    setExam({ provisional: null })
  }

  private async store(): Promise<void> {
    this.isStored = false
    const gestures = await Promise.all(this.outbox.waiting.map(({ gesture }) => gesture))
    // Meanwhile others may have come, or have been answered: whoever asked last stores what waits.
    if (gestures.length === this.outbox.waiting.length) this.isStored = this.drawer.put(gestures)
  }

  private line(): Line<Undoing | null> {
    return {
      hold: () => this.hold(),
      send: (gesture) => this.post(gesture),
      answered: (entry, answer, waiting) => this.take(entry, answer, waiting),
      refused: (entry, text, waiting) => this.refuse(entry, text, waiting),
      changed: () => this.reload(),
      told: (standing, waiting, holder) => this.tell(standing, waiting.length, holder),
      later: this.around.later,
    }
  }

  private tell(standing: Standing, waiting: number, holder: string): void {
    edits.set({ standing, waiting, holder })
  }

  /** One lease is asked for at a time: a second one would find it held. */
  private hold(): ReturnType<Line<unknown>['hold']> {
    this.holding ??= this.held().finally(() => (this.holding = null))
    return this.holding
  }

  private async held(): ReturnType<Line<unknown>['hold']> {
    if (this.lease) return { kind: 'held' }
    if (!(await this.around.askPerson())) {
      edits.set({ said: say(page.get().language, 'edit_unnamed') })
      return { kind: 'unnamed' }
    }
    try {
      this.lease = (await this.around.api.lease(this.around.study)).lease
      this.beat()
      return { kind: 'held' }
    } catch (error) {
      const holder = holderOf(error)
      return holder === null ? { kind: 'unreached' } : { kind: 'other', holder }
    }
  }

  private beat(): void {
    this.cancelBeat?.()
    this.cancelBeat = this.around.later(() => void this.keepAlive(), HEARTBEAT_MS)
  }

  private async keepAlive(): Promise<void> {
    const { lease } = this
    if (!lease) return
    const { api, study, now } = this.around
    if (now() - this.lastGesture > IDLE_MS && this.outbox.waiting.length === 0) {
      this.lease = null
      await api.dropLease(study, lease).catch(() => undefined)
      edits.set({ standing: 'free' })
      return
    }
    try {
      await api.holdLease(study, lease)
    } catch (error) {
      // Refused, it is lost; unanswered, it may still hold.
      if (error instanceof ApiError && error.status < 500) this.lease = null
    }
    if (this.lease) this.beat()
  }

  private async lookAgain(): Promise<void> {
    const held = await this.hold()
    if (held.kind === 'held') await this.reload().then(() => edits.set({ standing: 'ours', holder: '' }))
    else if (held.kind === 'other') edits.set({ standing: 'other', holder: held.holder })
  }

  private async post(gesture: Gesture): Promise<Verdict> {
    const version = page.get().exam?.study.version ?? 0
    try {
      return { kind: 'done', answer: await this.around.api.edit(this.around.study, this.lease ?? '', version, gesture) }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) return { kind: 'unreached' }
      const holder = holderOf(error)
      if (holder !== null) this.lease = null
      if (holder) return { kind: 'other', holder }
      if (holder === '') return { kind: 'expired' }
      return error.status === 409 ? { kind: 'changed' } : { kind: 'refused', text: error.message }
    }
  }

  private async take(entry: Waiting, answer: EditAnswer, waiting: readonly Waiting[]): Promise<void> {
    const isUnderWork = new Set(waiting.flatMap(({ undoing }) => (undoing ? [keyOf(undoing.place)] : [])))
    if (this.inHand) isUnderWork.add(keyOf(this.inHand))
    const contents = await Promise.all(
      answer.changed
        .filter((each) => !isUnderWork.has(keyOf(each)))
        .map(async (each): Promise<[Place, Content]> => {
          const info = cineAt(each)?.info
          const labels = await unpacked(each.labels, (info?.height ?? 0) * (info?.width ?? 0))
          return [each, { labels, plane: each.plane }]
        }),
    )
    putContents(contents)
    const isLast = waiting.length === 0 && this.inHand === null
    this.ledger.answered(entry.undoing?.kept ?? null, isLast)
    takeStudy(answer, isLast)
    void this.store()
  }

  private refuse(entry: Waiting, text: string, waiting: readonly Waiting[]): void {
    const { undoing } = entry
    const isOnTop =
      undoing && !waiting.some((each) => each.undoing && keyOf(each.undoing.place) === keyOf(undoing.place))
    if (isOnTop) this.show(entry, 'before')
    if (waiting.length === 0) this.calm()
    void this.store()
    edits.set({ said: text })
  }

  /** Another version became current: what the server has is shown. */
  private async reload(): Promise<void> {
    const { api, study } = this.around
    const exam = page.get().exam
    if (!exam) return
    const fresh = await api.study(study)
    const cines = { ...exam.cines }
    for (const [name, cine] of Object.entries(cines)) {
      if (!cine.labels || !cine.traces) continue
      const [labels, traces] = await Promise.all([
        api.labels(study, name, 'current'),
        api.traces(study, name, 'current'),
      ])
      cines[name] = {
        ...cine,
        labels: { ...cine.labels, current: labels.data },
        traces: { ...cine.traces, current: traces },
        revision: cine.revision + 1,
      }
    }
    this.ledger.forget()
    setExam({ study: fresh, cines, provisional: null })
  }
}

/** Who holds the exam, where that is why a gesture was refused: empty if nobody does; null if it is about something else. */
function holderOf(error: unknown): string | null {
  if (!(error instanceof ApiError)) return null
  const { lease } = (error.body ?? {}) as { lease?: { holder?: unknown } | null }
  if (typeof lease?.holder === 'string') return lease.holder
  return error.status === 423 ? '' : null
}

/** Puts the study of an answer into the state, with the key frames that images have now. */
function takeStudy(answer: EditAnswer, isLast: boolean): void {
  setExam((exam) => {
    const images = exam.study.images.map((info) => {
      const phases = answer.phases[info.name]
      return phases ? { ...info, phases } : info
    })
    const cines = Object.fromEntries(
      Object.entries(exam.cines).map(([name, cine]) => {
        const info = images.find((each) => each.name === name)
        return [name, info && info !== cine.info ? { ...cine, info: { ...cine.info, phases: info.phases } } : cine]
      }),
    )
    const { measures, undo, redo, accepted } = answer
    const study = {
      ...exam.study,
      ...answer.study,
      version: answer.version,
      images,
      measures,
      undo,
      redo,
      edits: undo,
      ...(accepted && { accepted }),
    }
    return { study, cines, ...(isLast ? { provisional: null } : {}) }
  })
}

/** A gesture that sends a whole plane of labels. */
export async function planeGesture(place: Place, labels: Uint8Array): Promise<Gesture> {
  return { kind: 'plane', ...place, labels: await packed(labels) }
}
