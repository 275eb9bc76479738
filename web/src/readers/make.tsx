/** A new reader study: a name, readers, exams. */

import { useEffect, useState } from 'preact/hooks'
import type { Summary } from '../api/types'
import { Field } from '../panels/field'
import { useAsked } from '../store/asked'
import { api, usePage } from '../store/page'
import { Icon } from '../style/icons'
import { useWords, type Key } from '../words'
import { date } from '../words/format'
import { namesIn } from './progress'

const MOST = 1000

function Exams({ studies, chosen, onChange }: { studies: readonly Summary[]; chosen: ReadonlySet<string>; onChange: (chosen: Set<string>) => void }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const [search, setSearch] = useState('')
  const shown = studies.filter(({ name }) => name.toLowerCase().includes(search.trim().toLowerCase()))
  const areAll = shown.length > 0 && shown.every(({ id }) => chosen.has(id))
  const put = (ids: readonly string[], isChosen: boolean) => {
    const next = new Set(chosen)
    for (const id of ids) isChosen ? next.add(id) : next.delete(id)
    onChange(next)
  }
  return (
    <div class="choose" role="group" aria-label={say('exams_field')}>
      <div class="line">
        <label class="search">
          <Icon name="search" />
          <input type="search" value={search} placeholder={say('search')} aria-label={say('search')} onInput={(event) => setSearch(event.currentTarget.value)} />
        </label>
        <label>
          <input type="checkbox" checked={areAll} disabled={!shown.length} onChange={(event) => put(shown.map(({ id }) => id), event.currentTarget.checked)} />
          {say('exams_all')}
        </label>
      </div>
      <ul>
        {shown.map(({ id, name, views, created }) => (
          <li key={id}>
            <label>
              <input type="checkbox" name="exam" checked={chosen.has(id)} onChange={(event) => put([id], event.currentTarget.checked)} />
              <span>{name}</span>
              <span class="soft">{views.join(' · ')}</span>
              <span class="soft">{date(created, language)}</span>
            </label>
          </li>
        ))}
      </ul>
    </div>
  )
}

export function MakePage() {
  const say = useWords()
  const { found, problem: unread } = useAsked(() => api.studies({ state: 'done', sort: 'name', order: 'asc', limit: MOST }), '')
  const [name, setName] = useState('')
  const [readers, setReaders] = useState('')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isAsked, setAsked] = useState(false)
  const [problem, setProblem] = useState('')
  const names = namesIn(readers)
  const wrongs: Partial<Record<'name' | 'readers' | 'exams', Key>> = {
    ...(name.trim() ? {} : { name: 'missing_name' }),
    ...(names.length ? {} : { readers: 'missing_readers' }),
    ...(chosen.size ? {} : { exams: 'missing_exams' }),
  }
  const wrong = (field: 'name' | 'readers' | 'exams') => (isAsked && wrongs[field] ? say(wrongs[field]) : null)
  useEffect(() => setProblem(''), [name, readers, chosen])
  const make = async () => {
    setAsked(true)
    if (Object.keys(wrongs).length) return
    const studies = (found?.studies ?? []).filter(({ id }) => chosen.has(id)).map(({ id }) => id)
    try {
      location.hash = `#/reader-studies/${(await api.makeReaderStudy(name.trim(), studies, names)).id}`
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <main class="sheet">
      <header>
        <h1>{say('new_study')}</h1>
      </header>
      <form
        class="form narrow"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void make()
        }}
      >
        <Field label={say('study_name')} problem={wrong('name')}>
          <input value={name} maxLength={200} onInput={(event) => setName(event.currentTarget.value)} />
        </Field>
        <Field label={say('readers_field')} help={say(names.length === 1 ? 'one_reader' : 'readers_field_help')} problem={wrong('readers')}>
          <textarea rows={4} value={readers} onInput={(event) => setReaders(event.currentTarget.value)} />
        </Field>
        <section aria-label={say('exams_field')}>
          <h2>
            {say('exams_field')} {found && <span class="count">{say('exams_chosen', { n: chosen.size, all: found.total })}</span>}
          </h2>
          {found && (found.studies.length ? <Exams studies={found.studies} chosen={chosen} onChange={setChosen} /> : <p class="soft">{say('exams_none_done')}</p>)}
          {found && found.total > found.studies.length && <p class="soft">{say('exams_more', { n: found.studies.length, all: found.total })}</p>}
          {unread && <p class="wrong">{unread}</p>}
          {wrong('exams') && (
            <p class="wrong" role="alert">
              {wrong('exams')}
            </p>
          )}
        </section>
        <footer>
          {problem && (
            <p class="wrong" role="alert">
              {problem}
            </p>
          )}
          <a class="button" href="#/reader-studies">
            {say('cancel')}
          </a>
          <button class="strong">{say('make')}</button>
        </footer>
      </form>
    </main>
  )
}
