/** An exam as one reader traces it: the page of an exam, without what was found; and what ends it. */

import { useEffect, useState } from 'preact/hooks'
import { groupOf, studyOf } from '../api/reading'
import type { ReaderStudy } from '../api/types'
import { useEdits } from '../editing/state'
import { Confirm } from '../panels/dialog'
import { api, page, usePage } from '../store/page'
import { useAsked } from '../store/asked'
import { Icon } from '../style/icons'
import { StudyPage } from '../viewer/study'
import { useWords } from '../words'
import { examsOf, nextOf, numberOf, readersOf, readingsOf } from './progress'
import { ReadOn, readingAddress } from './read_on'

/** What stands in the bar at the top while an exam is read. */
export function ReadingBar({ id }: { id: string }) {
  const say = useWords()
  const [isSure, setSure] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const study = usePage(({ exam }) => (exam?.study.id === id ? exam.study : null))
  const waiting = useEdits((state) => state.waiting)
  const end = async () => {
    setBusy(true)
    try {
      await api.endReading(id)
      setSure(false)
      const group = await api.readerStudy(groupOf(id))
      const next = nextOf(group, page.get().person)
      location.hash = next ? readingAddress(group.id, next.study) : `#/reader-studies/${group.id}`
    } catch (error) {
      setSure(false)
      page.set({ problem: error instanceof Error ? error.message : String(error) })
    } finally {
      setBusy(false)
    }
  }
  if (!study) return null
  const isEmpty = study.version === 0
  return (
    <>
      <button class="strong" disabled={isEmpty || waiting > 0 || isBusy} title={isEmpty ? say('reading_nothing') : ''} onClick={() => setSure(true)}>
        <Icon name="check" />
        {say('reading_end')}
      </button>
      {isSure && <Confirm title={say('reading_end_title')} text={say('reading_end_help')} verb={say('reading_end')} onYes={() => void end()} onNo={() => setSure(false)} />}
    </>
  )
}

/** "Exam 3 of 12", as the study that it is of counts. */
export function ReadingName({ id }: { id: string }) {
  const say = useWords()
  const { found } = useAsked(() => api.readerStudy(groupOf(id)), groupOf(id))
  if (!found) return null
  return (
    <span class="exam-name">
      <b>{say('reading_of', { n: numberOf(found, studyOf(id)), all: examsOf(found).length })}</b>
      <em class="soft">{found.name}</em>
    </span>
  )
}

/** Why a reading is not shown. */
function Closed({ group, text }: { group: ReaderStudy; text: string }) {
  const say = useWords()
  return (
    <main class="waiting">
      <p>{text}</p>
      <p class="line">
        <a class="button" href={`#/reader-studies/${group.id}`}>
          {say('back_to_readers')}
        </a>
        <ReadOn group={group} />
      </p>
    </main>
  )
}

export function ReadingPage({ id }: { id: string }) {
  const say = useWords()
  const person = usePage((state) => state.person)
  const { found, problem } = useAsked(() => api.readerStudy(groupOf(id)), `${id} ${person}`)
  useEffect(() => {
    if (!person) page.set({ dialog: 'person' })
  }, [person])
  if (!found) return <main class="waiting">{problem && <p class="wrong">{problem}</p>}</main>
  const reading = readingsOf(found, person).find(({ study }) => study === studyOf(id))
  if (!reading) {
    const isReader = readersOf(found).includes(person)
    return <Closed group={found} text={isReader ? say('exam_gone') : ''} />
  }
  if (reading.done !== null) return <Closed group={found} text={say('reading_over')} />
  return <StudyPage key={`${id} ${person}`} id={id} />
}
