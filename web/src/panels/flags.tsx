/** What speaks against the numbers, the gravest first. */

import { useState } from 'preact/hooks'
import type { AcceptedFlag, Flag } from '../api/types'
import { editing } from '../editing/session'
import { usePage } from '../store/page'
import { showImage } from '../viewer/actions'
import { useWords } from '../words'
import { date, rule } from '../words/format'
import { sentenceOf } from '../words/sentences'
import { byGravity, gradeKey, GradeMark } from './grade'
import { askPerson } from './person'

const isSame = (flag: Flag, other: { rule: string; about: string; text: string }): boolean =>
  flag.rule === other.rule && flag.about === other.about && flag.text === other.text

/** The image that a flag speaks of: by its name, or by the view that its sentence begins with. */
export function imageOf(flag: Flag, images: readonly { name: string; view: string }[]): string | null {
  const named = images.find(({ name }) => name === flag.about)
  const seen = images.find(({ view }) => flag.text.startsWith(`${view} `) || flag.text.startsWith(`${view}:`))
  return (named ?? seen)?.name ?? null
}

function Item({ flag, accepted, canAccept }: { flag: Flag; accepted: AcceptedFlag | undefined; canAccept: boolean }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const images = usePage(({ exam }) => exam?.study.images ?? [])
  const [reason, setReason] = useState<string | null>(null)
  const image = imageOf(flag, images)
  const short = rule(flag.rule, language)
  const send = async (isAccepted: boolean) => {
    if (!(await askPerson())) return
    const { rule: name, about, text } = flag
    await editing().send({ kind: 'flag', rule: name, about, text, accepted: isAccepted, reason: reason ?? '' })
    setReason(null)
  }
  return (
    <li class={accepted ? 'accepted' : ''}>
      <GradeMark grade={flag.grade} />
      <div>
        {short && <b>{short}</b>}
        <p>{sentenceOf(flag, language)}</p>
        {accepted && (
          <p class="soft">
            {say('accepted_by', { name: accepted.by, time: date(accepted.time, language) })}
            {accepted.reason && `: ${accepted.reason}`}
          </p>
        )}
        {reason !== null && (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              void send(true)
            }}
          >
            <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} aria-label={say('reason')} placeholder={say('reason')} autofocus />
            <button class="strong">{say('accept')}</button>
          </form>
        )}
        <div class="actions">
          {image && (
            <button class="quiet" onClick={() => showImage(image)}>
              {say('show_image')}
            </button>
          )}
          {canAccept && !accepted && reason === null && (
            <button class="quiet" onClick={() => setReason('')}>
              {say('accept')}
            </button>
          )}
          {canAccept && accepted && (
            <button class="quiet" onClick={() => void send(false)}>
              {say('accept_undo')}
            </button>
          )}
        </div>
      </div>
    </li>
  )
}

export function Flags() {
  const say = useWords()
  const flags = usePage(({ exam }) => exam?.study.measures.flags ?? [])
  const accepted = usePage(({ exam }) => exam?.study.accepted)
  if (!flags.length) return <p class="empty">{say('no_flags')}</p>
  return (
    <ul class="flags">
      {byGravity(flags).map((flag) => (
        <Item
          key={`${flag.rule} ${flag.about} ${flag.text}`}
          flag={flag}
          accepted={accepted?.find((each) => isSame(flag, each))}
          canAccept={accepted !== undefined}
        />
      ))}
    </ul>
  )
}

/** One line above the numbers: how many doubts, and the gravest. */
export function FlagStrip({ onOpen }: { onOpen: () => void }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const flags = usePage(({ exam }) => exam?.study.measures.flags ?? [])
  const first = byGravity(flags)[0]
  if (!first) return <p class="flag-strip none">{say('no_flags_short')}</p>
  return (
    <button class={`flag-strip ${first.grade.replace(' ', '-')}`} onClick={onOpen} title={sentenceOf(first, language)}>
      <GradeMark grade={first.grade} />
      <span>
        <b>{say(gradeKey(first.grade))}</b> {sentenceOf(first, language)}
      </span>
      {flags.length > 1 && <i>+{flags.length - 1}</i>}
    </button>
  )
}
