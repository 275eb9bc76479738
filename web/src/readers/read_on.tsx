/** Where a reader goes on. */

import { readingId } from '../api/reading'
import type { ReaderStudy } from '../api/types'
import { page, usePage } from '../store/page'
import { useWords } from '../words'
import { examsOf, nextOf, numberOf, readersOf } from './progress'

export const readingAddress = (group: string, study: string): string => `#/reader-studies/${readingId(group, study)}`

/** To the next exam of whoever works here; in a list nothing is said of who does not read. */
export function ReadOn({ group, isShort = false }: { group: ReaderStudy; isShort?: boolean }) {
  const say = useWords()
  const person = usePage((state) => state.person)
  if (!readersOf(group).includes(person)) {
    if (isShort) return null
    return (
      <p class="read-on">
        <span class="soft">{person ? say('read_not_you', { name: person }) : say('read_who')}</span>
        <button onClick={() => page.set({ dialog: 'person' })}>{say('who')}</button>
      </p>
    )
  }
  const next = nextOf(group, person)
  if (!next) return <span class="good">{say('read_all_done')}</span>
  return (
    <a class={isShort ? 'button' : 'button strong'} href={readingAddress(group.id, next.study)}>
      {say('read_on', { n: numberOf(group, next.study), all: examsOf(group).length })}
    </a>
  )
}
