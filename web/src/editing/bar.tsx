/** Buttons of the editing: undo and redo beside the tools, and a line below the views for all that is no tool. */

import { useState } from 'preact/hooks'
import type { Gesture, Phase } from '../api/types'
import { activeView, frameOf, planeOf } from '../store/exam'
import { page, usePage } from '../store/page'
import { Icon } from '../style/icons'
import { towardsApex } from '../viewer/layout'
import { isKey, type Key, type Say, useWords } from '../words'
import type { Exchange } from './exchange'
import { edits, useEdits } from './state'

/** Where a contour is carried: to frames of the film, or to the slice on one side of the heart. */
type Aim = 'previous' | 'next' | 'beat' | 'basal' | 'apical'

/** Where the view in hand is, as gestures name it. */
export function hereOf(): { image: string; frame: number; slice: number } | null {
  const { exam } = page.get()
  const view = exam && activeView(exam)
  return view ? { image: view.image, frame: frameOf(exam, view), slice: view.slice } : null
}

/** Copies the contour in hand to other frames or slices, fitted to each of them. */
export function propagate(exchange: Exchange, aim: Aim): void {
  const here = hereOf()
  const cine = here && page.get().exam?.cines[here.image]
  if (!here || !cine) return
  const { contour } = edits.get()
  void exchange.send({ kind: 'propagate', ...here, contour, to: reachOf(aim, towardsApex(cine)) })
}

/** Slices are numbered from either end: which one is higher follows from where the apex lies. */
function reachOf(aim: Aim, towards: 1 | -1): Extract<Gesture, { kind: 'propagate' }>['to'] {
  if (aim !== 'basal' && aim !== 'apical') return aim
  return (aim === 'apical') === (towards === 1) ? 'slice-up' : 'slice-down'
}

export function judge(exchange: Exchange, verdict: 'accepted' | 'rejected' | null, reason = ''): void {
  const here = hereOf()
  if (here) void exchange.send({ kind: 'verdict', ...here, verdict, reason })
}

export function setPhase(exchange: Exchange, phase: Phase): void {
  const here = hereOf()
  if (here) void exchange.send({ kind: 'key-frame', image: here.image, phase, frame: here.frame })
}

/** Undo, redo, and all of it back. */
export function UndoButtons({ exchange }: { exchange: Exchange }) {
  const say = useWords()
  usePage(({ exam }) => exam?.study)
  useEdits(({ waiting }) => waiting)
  const [undo, redo] = [say('edit_undo'), say('edit_redo')]
  return (
    <>
      <hr />
      <Square words={undo} note={`${undo} (Ctrl Z)`} icon="undo" off={!exchange.canUndo} run={() => exchange.undo()} />
      <Square
        words={redo}
        note={`${redo} (Ctrl ⇧ Z)`}
        icon="redo"
        off={!exchange.canRedo}
        run={() => exchange.redo()}
      />
      <Square
        words={say('edit_restore')}
        note={say('edit_restore_note')}
        icon="restore"
        off={!exchange.canUndo}
        run={() => edits.set({ asks: 'restore' })}
      />
    </>
  )
}

interface SquareProps {
  words: string
  note: string
  icon: string
  off: boolean
  run: () => unknown
}

function Square({ words, note, icon, off, run }: SquareProps) {
  return (
    <button class="square" aria-label={words} title={note} disabled={off} onClick={() => run()}>
      <Icon name={icon} />
    </button>
  )
}

/** The line below the views. */
export function Strip({ exchange }: { exchange: Exchange }) {
  const say = useWords()
  const asks = useEdits((state) => state.asks)
  if (asks) return <Question key={asks} asks={asks} exchange={exchange} say={say} />
  return (
    <div class="strip" role="toolbar" aria-label={say('edit_strip')}>
      <Contours say={say} />
      <Copies exchange={exchange} say={say} />
      <Verdicts exchange={exchange} say={say} />
      <Phases exchange={exchange} say={say} />
      <Standing exchange={exchange} say={say} />
    </div>
  )
}

const contourWords = (say: Say, name: string): string =>
  isKey(`contour_${name}`) ? say(`contour_${name}` as Key) : name.toUpperCase()

const shortWords = (say: Say, name: string): string =>
  isKey(`contour_${name}_short`) ? say(`contour_${name}_short` as Key) : name.toUpperCase()

function Contours({ say }: { say: Say }) {
  const view = usePage(({ exam }) => exam && activeView(exam))
  const names = usePage(({ exam }) => exam?.study.images.find(({ name }) => name === view?.image)?.contours)
  const contour = useEdits((state) => state.contour)
  if (!names?.length) return null
  return (
    <div class="choice" role="group" aria-label={say('edit_contour')}>
      {names.map((name) => (
        <button
          key={name}
          aria-pressed={name === contour}
          title={`${contourWords(say, name)} (${say('key_space')})`}
          onClick={() => edits.set({ contour: name })}
        >
          {shortWords(say, name)}
        </button>
      ))}
    </div>
  )
}

const AIMS: readonly [Aim, Key, string][] = [
  ['previous', 'edit_previous', ''],
  ['next', 'edit_next', ' (Ctrl F)'],
  ['beat', 'edit_beat', ''],
]
const SLICE_AIMS: readonly [Aim, Key, string][] = [
  ['basal', 'edit_basal', ' (Ctrl U)'],
  ['apical', 'edit_apical', ' (Ctrl D)'],
]

/** One line holds all: arrows as on the keys that go there. */
const SIGNS: Readonly<Partial<Record<Aim, string>>> = {
  previous: '←',
  next: '→',
  basal: '↑',
  apical: '↓',
}

function Copies({ exchange, say }: { exchange: Exchange; say: Say }) {
  const info = usePage(({ exam }) => {
    const view = exam && activeView(exam)
    return exam?.study.images.find(({ name }) => name === view?.image)
  })
  const aims = [...(info && info.frames > 1 ? AIMS : []), ...(info && info.slices > 1 ? SLICE_AIMS : [])]
  if (aims.length === 0) return null
  return (
    <div class="choice" role="group" aria-label={say('edit_copy')}>
      <span class="label">{say('edit_copy')}</span>
      {aims.map(([to, key, keys]) => (
        <button
          key={to}
          aria-label={say(key)}
          title={`${say(key)}: ${say('edit_copy_note')}${keys}`}
          onClick={() => propagate(exchange, to)}
        >
          {SIGNS[to] ?? say(key)}
        </button>
      ))}
    </div>
  )
}

function Verdicts({ exchange, say }: { exchange: Exchange; say: Say }) {
  const verdict = usePage(({ exam }) => {
    const view = exam && activeView(exam)
    const cine = view && exam.cines[view.image]
    return cine ? planeOf(cine, frameOf(exam, view), view.slice, 'current')?.verdict : null
  })
  return (
    <div class="choice" role="group" aria-label={say('edit_verdict')}>
      <button
        aria-pressed={verdict === 'accepted'}
        title={`${say('edit_accept_note')} (A)`}
        onClick={() => judge(exchange, verdict === 'accepted' ? null : 'accepted')}
      >
        {say('edit_accept')}
      </button>
      <button
        aria-pressed={verdict === 'rejected'}
        title={`${say('edit_reject_note')} (X)`}
        onClick={() => (verdict === 'rejected' ? judge(exchange, null) : edits.set({ asks: 'reject' }))}
      >
        {say('edit_reject')}
      </button>
    </div>
  )
}

function Phases({ exchange, say }: { exchange: Exchange; say: Say }) {
  const isMoving = usePage(({ exam }) => {
    const view = exam && activeView(exam)
    return (exam?.study.images.find(({ name }) => name === view?.image)?.frames ?? 1) > 1
  })
  if (!isMoving) return null
  return (
    <div class="choice" role="group" aria-label={say('edit_phase')}>
      <button title={`${say('edit_ed_here')} (Alt D)`} onClick={() => setPhase(exchange, 'ED')}>
        {say('edit_ed')}
      </button>
      <button title={`${say('edit_es_here')} (Alt S)`} onClick={() => setPhase(exchange, 'ES')}>
        {say('edit_es')}
      </button>
    </div>
  )
}

/** Another person, or the same one in another window, or in one that was closed a moment ago. */
function otherWords(holder: string, waiting: number): Key {
  if (holder === page.get().person) return 'edit_self'
  return waiting ? 'edit_other_waiting' : 'edit_other'
}

/** How it stands with the server; a person is always told what became of a gesture. */
function Standing({ exchange, say }: { exchange: Exchange; say: Say }) {
  const { standing, holder, waiting, said } = useEdits((state) => state)
  const isOffered = standing === 'changed' || standing === 'left'
  const words =
    standing === 'other'
      ? say(otherWords(holder, waiting), { name: holder, count: waiting })
      : standing === 'offline'
        ? say('edit_offline', { count: waiting })
        : isOffered
          ? say(standing === 'changed' ? 'edit_changed' : 'edit_left', { count: waiting })
          : waiting
            ? say('edit_saving')
            : standing === 'ours'
              ? say('edit_saved')
              : ''
  const grade = said || isOffered ? 'bad' : standing === 'other' || standing === 'offline' ? 'doubt' : ''
  return (
    <span class={`standing ${grade}`} role="status" data-standing={standing} data-waiting={waiting}>
      <span class="words" title={said || words}>
        {said || words}
      </span>
      {standing === 'offline' && <button onClick={() => void exchange.retry()}>{say('edit_retry')}</button>}
      {isOffered && waiting > 0 && <button onClick={() => void exchange.accept()}>{say('edit_send_again')}</button>}
      {isOffered && <button onClick={() => exchange.discard()}>{say('edit_discard')}</button>}
    </span>
  )
}

const REASONS: readonly Key[] = ['reason_image', 'reason_view', 'reason_contour', 'reason_beat']

/** Asks for a reason, or whether it is meant. */
function Question({ asks, exchange, say }: { asks: 'reject' | 'restore'; exchange: Exchange; say: Say }) {
  const [reason, write] = useState('')
  const close = () => edits.set({ asks: null })
  const answer = (event: Event) => {
    event.preventDefault()
    close()
    if (asks === 'reject') judge(exchange, 'rejected', reason.trim())
    else void exchange.send({ kind: 'restore' })
  }
  return (
    <form class="strip" onSubmit={answer} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <label class="label" for="edit-reason">
        {say(asks === 'reject' ? 'edit_why' : 'edit_restore_sure')}
      </label>
      {asks === 'reject' && (
        <>
          <input
            id="edit-reason"
            value={reason}
            maxLength={200}
            list="edit-reasons"
            required
            ref={(input) => input?.focus()}
            onInput={(event) => write(event.currentTarget.value)}
          />
          <datalist id="edit-reasons">
            {REASONS.map((key) => (
              <option key={key} value={say(key)} />
            ))}
          </datalist>
        </>
      )}
      <button class="strong" type="submit">
        {say(asks === 'reject' ? 'edit_reject' : 'edit_restore')}
      </button>
      <button type="button" onClick={close}>
        {say('edit_cancel')}
      </button>
    </form>
  )
}
