/** Reader studies: which there are, and how far they are. */

import type { ReaderStudy } from '../api/types'
import { useAsked } from '../store/asked'
import { api, usePage } from '../store/page'
import { useWords } from '../words'
import { date } from '../words/format'
import { examsOf, progressOf, readersOf } from './progress'
import { ReadOn } from './read_on'

export function Bar({ done, all, label }: { done: number; all: number; label: string }) {
  const say = useWords()
  return (
    <span class="how-far">
      <progress max={all} value={done} aria-label={label} />
      <span>{say('done_of', { done, all })}</span>
    </span>
  )
}

function Row({ group }: { group: ReaderStudy }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const { done, all } = progressOf(group.readings)
  return (
    <tr>
      <th scope="row">
        <a href={`#/reader-studies/${group.id}`}>{group.name}</a>
        <span class="below">{readersOf(group).join(' · ')}</span>
      </th>
      <td class="date">{date(group.created, language)}</td>
      <td class="number">{examsOf(group).length}</td>
      <td>
        <Bar done={done} all={all} label={say('progress')} />
      </td>
      <td class="actions">
        <ReadOn group={group} isShort />
      </td>
    </tr>
  )
}

export function ReadersPage() {
  const say = useWords()
  const { found, problem } = useAsked(() => api.readerStudies(), '')
  return (
    <main class="sheet">
      <header>
        <h1>{say('reader_studies')}</h1>
        <a class="button strong" href="#/reader-studies/new">
          {say('new_study')}
        </a>
      </header>
      <p class="soft intro">{say('readers_help')}</p>
      {problem && <p class="wrong">{problem}</p>}
      {found?.length === 0 && <p class="empty">{say('readers_none')}</p>}
      {found && found.length > 0 && (
        <div class="wide">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{say('reader_study')}</th>
                <th scope="col">{say('column_created')}</th>
                <th scope="col" class="number">
                  {say('column_exams')}
                </th>
                <th scope="col">{say('progress')}</th>
                <th scope="col">
                  <span class="hidden">{say('column_actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.map((group) => (
                <Row key={group.id} group={group} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  )
}
