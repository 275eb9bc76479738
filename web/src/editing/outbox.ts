/**
 * Gestures on their way to the server: in order, one at a time, kept until each is answered.
 *
 * A gesture is never lost in silence. Without the server it waits and is sent again; if another version became current it
 * is offered again; if the page is closed it lies in the browser's storage and is offered at the next visit.
 */

import type { EditAnswer, Gesture } from '../api/types'
import type { Standing } from './state'

/** A gesture with what it did to the page. One that is still being packed has its place already. */
export interface Entry<Undoing = unknown> {
  readonly gesture: Gesture | Promise<Gesture>
  /** What the page needs to take it back or to show it again. */
  readonly undoing: Undoing
}

/** What the server says to a gesture. */
export type Verdict =
  | { readonly kind: 'done'; readonly answer: EditAnswer }
  /** The gesture itself cannot be: it is taken back. */
  | { readonly kind: 'refused'; readonly text: string }
  /** Nobody answered: it is sent again. */
  | { readonly kind: 'unreached' }
  /** Another version is current. */
  | { readonly kind: 'changed' }
  /** Another person holds the exam. */
  | { readonly kind: 'other'; readonly holder: string }
  /** The lease ran out: another is asked for. */
  | { readonly kind: 'expired' }

export interface Line<Undoing> {
  /** A lease, and who holds it if it is not us. */
  hold(): Promise<{ kind: 'held' } | { kind: 'other'; holder: string } | { kind: 'unreached' } | { kind: 'unnamed' }>
  send(gesture: Gesture): Promise<Verdict>
  answered(entry: Entry<Undoing>, answer: EditAnswer, waiting: readonly Entry<Undoing>[]): Promise<void>
  refused(entry: Entry<Undoing>, text: string, waiting: readonly Entry<Undoing>[]): void
  /** Another version is current: the page is to show it, without what waits. */
  changed(): Promise<void>
  /** What waits, and how it stands. */
  told(standing: Standing, waiting: readonly Entry<Undoing>[], holder: string): void
  /** Calls later; returns what prevents it. */
  later(call: () => void, delay_ms: number): () => void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
const HOLDER_WAIT_MS = 5_000
/** Leases that ran out one right after another: more are no accident. */
const MOST_EXPIRED = 2

export class Outbox<Undoing> {
  private entries: Entry<Undoing>[] = []
  private running = false
  private stopped = false
  private wait_ms = FIRST_WAIT_MS
  private cancelLater: (() => void) | null = null
  private standing: Standing = 'free'
  private expired = 0

  constructor(private readonly line: Line<Undoing>) {}

  get waiting(): readonly Entry<Undoing>[] {
    return this.entries
  }

  /** Puts a gesture behind the others and sends what can be sent. */
  add(entry: Entry<Undoing>): Promise<void> {
    this.entries.push(entry)
    this.tell(this.standing)
    return this.run()
  }

  /** Takes back the last gesture that is not on its way; null if there is none. */
  withdraw(): Entry<Undoing> | null {
    if (this.entries.length <= (this.running ? 1 : 0)) return null
    const entry = this.entries.pop()!
    this.tell(this.standing)
    return entry
  }

  /** Waits for the person to say what becomes of gestures, those of an earlier visit or on an older version. */
  offer(entries: readonly Entry<Undoing>[]): void {
    this.entries.push(...entries)
    this.stopped = true
    this.tell('left')
  }

  /** Sends what was offered. */
  accept(): Promise<void> {
    this.stopped = false
    this.tell('ours')
    return this.run()
  }

  /** Drops what was offered. */
  discard(): readonly Entry<Undoing>[] {
    const dropped = this.entries
    this.entries = []
    this.stopped = false
    this.tell('ours')
    return dropped
  }

  /** Tries at once, as when the network is back. */
  retry(): Promise<void> {
    this.cancelLater?.()
    this.wait_ms = FIRST_WAIT_MS
    return this.run()
  }

  close(): void {
    this.cancelLater?.()
    this.stopped = true
  }

  private tell(standing: Standing, holder = ''): void {
    this.standing = standing
    this.line.told(standing, this.entries, holder)
  }

  private async run(): Promise<void> {
    if (this.running) return
    this.running = true
    try {
      while (!this.stopped && this.entries.length > 0 && (await this.step()));
    } finally {
      this.running = false
    }
  }

  /** One gesture; whether the next may follow at once. */
  private async step(): Promise<boolean> {
    const held = await this.line.hold()
    if (held.kind === 'other') return this.waitFor('other', HOLDER_WAIT_MS, held.holder)
    if (held.kind === 'unreached') return this.waitLonger()
    if (held.kind === 'unnamed') return false
    const entry = this.entries[0]!
    const verdict = await this.line.send(await entry.gesture)
    switch (verdict.kind) {
      case 'done':
        this.wait_ms = FIRST_WAIT_MS
        this.expired = 0
        this.entries.shift()
        await this.line.answered(entry, verdict.answer, this.entries)
        this.tell('ours')
        return true
      case 'refused':
        this.entries.shift()
        this.line.refused(entry, verdict.text, this.entries)
        this.tell('ours')
        return true
      case 'changed':
        this.stopped = true
        await this.line.changed()
        this.tell('changed')
        return false
      case 'expired':
        return ++this.expired <= MOST_EXPIRED || this.waitLonger()
      case 'other':
        return this.waitFor('other', HOLDER_WAIT_MS, verdict.holder)
      case 'unreached':
        return this.waitLonger()
    }
  }

  private waitLonger(): false {
    const wait_ms = this.wait_ms
    this.wait_ms = Math.min(2 * wait_ms, LONGEST_WAIT_MS)
    return this.waitFor('offline', wait_ms)
  }

  private waitFor(standing: Standing, wait_ms: number, holder = ''): false {
    this.tell(standing, holder)
    this.cancelLater?.()
    this.cancelLater = this.line.later(() => void this.run(), wait_ms)
    return false
  }
}

/** Gestures that were not sent, in the browser's storage by study. */
export class Drawer {
  constructor(
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
    private readonly study: string,
  ) {}

  private get key(): string {
    return `cardiotrace.outbox.${this.study}`
  }

  /** @returns Whether it could be stored; a browser may refuse. */
  put(gestures: readonly Gesture[]): boolean {
    try {
      if (gestures.length > 0) this.storage.setItem(this.key, JSON.stringify(gestures))
      else this.storage.removeItem(this.key)
      return true
    } catch {
      return false
    }
  }

  take(): Gesture[] {
    try {
      const found: unknown = JSON.parse(this.storage.getItem(this.key) ?? '[]')
      return Array.isArray(found) ? (found as Gesture[]) : []
    } catch {
      return []
    }
  }
}
