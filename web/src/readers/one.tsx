/** One reader study: how far everybody is, and how well they agree. */

import { useEffect, useMemo, useState } from 'preact/hooks'
import type { ReaderStudy, Reading } from '../api/types'
import { Confirm } from '../panels/dialog'
import { useAsked } from '../store/asked'
import { api, usePage } from '../store/page'
import { Icon } from '../style/icons'
import { useWords } from '../words'
import { number } from '../words/format'
import { AgreementPart } from './agreement'
import { Bar } from './list'
import { examsOf, progressOf, readersOf, readingsOf } from './progress'
import { ReadOn } from './read_on'

function useTime(): (seconds: number | null) => string {
  const say = useWords()
  const language = usePage((state) => state.language)
  return (seconds) => {
    if (seconds === null) return '–'
    return seconds < 60 ? say('seconds', { n: number(seconds, 0, language) }) : say('minutes', { n: number(seconds / 60, 1, language) })
  }
}

/** Names of exams; an identifier where the list, which is bounded, does not tell. */
export function useExamNames(group: ReaderStudy): (id: string) => string {
  const [names, setNames] = useState<Readonly<Record<string, string>> | null>(null)
  useEffect(() => {
    api.studies({ limit: 1000 }).then(
      ({ studies }) => setNames(Object.fromEntries(studies.map(({ id, name }) => [id, name]))),
      () => setNames({}),
    )
  }, [group.id])
  return (id) => (names === null ? '' : (names[id] ?? id))
}

function Readers({ group }: { group: ReaderStudy }) {
  const say = useWords()
  const time = useTime()
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">{say('column_reader')}</th>
          <th scope="col">{say('progress')}</th>
          <th scope="col" class="number">
            {say('median_time')}
          </th>
        </tr>
      </thead>
      <tbody>
        {readersOf(group).map((reader) => {
          const { done, all, seconds } = progressOf(readingsOf(group, reader))
          return (
            <tr key={reader}>
              <th scope="row">{reader}</th>
              <td>
                <Bar done={done} all={all} label={`${say('progress')}, ${reader}`} />
              </td>
              <td class="number">{time(seconds)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

function Exams({ group, nameOf }: { group: ReaderStudy; nameOf: (id: string) => string }) {
  const say = useWords()
  const time = useTime()
  const readers = readersOf(group)
  const cell = (reading: Reading | undefined) => {
    if (!reading) return ''
    if (reading.done !== null) return <span title={say('reading_done')}>{time(reading.seconds)}</span>
    return <span class="soft">{say(reading.opened ? 'reading_open' : 'reading_waits')}</span>
  }
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col" class="number">
            #
          </th>
          <th scope="col">{say('exam')}</th>
          {readers.map((reader) => (
            <th key={reader} scope="col" class="number">
              {reader}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {examsOf(group).map((study, at) => (
          <tr key={study}>
            <td class="number soft">{at + 1}</td>
            <th scope="row">{nameOf(study)}</th>
            {readers.map((reader) => (
              <td key={reader} class="number">
                {cell(group.readings.find((each) => each.study === study && each.reader === reader))}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Ends it for everybody, once that is sure. */
function Delete({ group }: { group: ReaderStudy }) {
  const say = useWords()
  const [isAsked, setAsked] = useState(false)
  const [problem, setProblem] = useState('')
  const remove = async () => {
    setAsked(false)
    try {
      await api.deleteReaderStudy(group.id)
      location.hash = '#/reader-studies'
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <>
      {problem && (
        <span class="wrong" role="alert">
          {problem}
        </span>
      )}
      <button class="square" aria-label={say('readers_delete')} title={say('readers_delete')} onClick={() => setAsked(true)}>
        <Icon name="trash" />
      </button>
      {isAsked && (
        <Confirm title={say('readers_delete')} text={say('readers_delete_sure', { name: group.name })} verb={say('delete')} onYes={() => void remove()} onNo={() => setAsked(false)} />
      )}
    </>
  )
}

function Shown({ group }: { group: ReaderStudy }) {
  const say = useWords()
  const nameOf = useExamNames(group)
  const { done, all } = useMemo(() => progressOf(group.readings), [group])
  return (
    <main class="sheet">
      <header>
        <a class="home" href="#/reader-studies" aria-label={say('reader_studies')} title={say('reader_studies')}>
          <Icon name="back" />
        </a>
        <h1>{group.name}</h1>
        <Bar done={done} all={all} label={say('progress')} />
        <span class="space" />
        <ReadOn group={group} />
        <Delete group={group} />
      </header>
      <div class="wide">
        <section>
          <h2>{say('readers')}</h2>
          <Readers group={group} />
        </section>
        <AgreementPart group={group} nameOf={nameOf} />
        <section>
          <h2>{say('exams')}</h2>
          <Exams group={group} nameOf={nameOf} />
        </section>
      </div>
    </main>
  )
}

export function ReaderStudyPage({ id }: { id: string }) {
  const { found, problem } = useAsked(() => api.readerStudy(id), id)
  if (found) return <Shown group={found} />
  return <main class="waiting">{problem && <p class="wrong">{problem}</p>}</main>
}
