/** Studies that an archive holds, looked for and fetched. */

import { useState } from 'preact/hooks'
import type { Destination, FoundStudy } from '../api/types'
import { Field } from '../panels/field'
import { api } from '../store/page'
import { useWords } from '../words'
import { useJob, watch } from '../worklist/watched'
import { datesOf, NOTHING_TYPED, spoken, wrongIn, type Typed } from './question'

const toldOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function Fetching({ job }: { job: string }) {
  const say = useWords()
  const found = useJob(job)
  if (!found) return null
  if (found.state === 'done') {
    return (
      <a class="good" href="#/">
        {say('fetch_done')}
      </a>
    )
  }
  if (found.error) return <span class="wrong">{[found.error.text, found.error.remedy].filter(Boolean).join('; ')}</span>
  const { progress } = found
  const share = progress?.total ? ` ${progress.done}/${progress.total}` : ''
  return <span class="soft">{`${say(found.state === 'queued' ? 'fetch_waits' : 'fetch_running')}${share}`}</span>
}

function Row({ study, archive }: { study: FoundStudy; archive: string }) {
  const say = useWords()
  const [job, setJob] = useState('')
  const [problem, setProblem] = useState('')
  const fetch = async () => {
    setProblem('')
    try {
      const made = await api.retrieve(archive, study.study_uid)
      await watch(made.job)
      setJob(made.job)
    } catch (error) {
      setProblem(toldOf(error))
    }
  }
  const name = spoken(study.patient_name)
  return (
    <tr>
      <th scope="row">
        {name}
        <span class="below">{study.patient_id}</span>
      </th>
      <td class="date">{study.date}</td>
      <td>{study.description}</td>
      <td>{study.modalities.join(', ')}</td>
      <td class="number">{study.objects ?? '–'}</td>
      <td>
        <span role="status">
          {problem && <span class="wrong">{problem}</span>}
          {job && <Fetching job={job} />}
        </span>
      </td>
      <td class="actions">
        <button aria-label={say('fetch_of', { name: name || study.patient_id })} disabled={Boolean(job)} onClick={() => void fetch()}>
          {say('fetch')}
        </button>
      </td>
    </tr>
  )
}

function Found({ studies, archive }: { studies: readonly FoundStudy[]; archive: string }) {
  const say = useWords()
  if (!studies.length) return <p role="status">{say('found_none')}</p>
  return (
    <>
      <p role="status" class="soft">
        {say('found_count', { n: studies.length })}
      </p>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{say('column_patient')}</th>
            <th scope="col">{say('column_day')}</th>
            <th scope="col">{say('column_description')}</th>
            <th scope="col">{say('column_modality')}</th>
            <th scope="col" class="number">
              {say('column_objects')}
            </th>
            <th scope="col">{say('column_state')}</th>
            <th scope="col">
              <span class="hidden">{say('column_actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {studies.map((study) => (
            <Row key={study.study_uid} study={study} archive={archive} />
          ))}
        </tbody>
      </table>
    </>
  )
}

export function SearchPart({ destinations }: { destinations: readonly Destination[] }) {
  const say = useWords()
  const [chosen, setChosen] = useState('')
  const [typed, setTyped] = useState(NOTHING_TYPED)
  const [isAsked, setAsked] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const [found, setFound] = useState<{ archive: string; studies: FoundStudy[] } | null>(null)
  const archive = destinations.find(({ name }) => name === chosen)?.name ?? destinations[0]?.name
  if (!archive) return null
  const put = (change: Partial<Typed>) => setTyped((before) => ({ ...before, ...change }))
  const wrongs = wrongIn(typed)
  const wrong = (field: keyof typeof wrongs) => (isAsked && wrongs[field] ? say(wrongs[field]) : null)
  const ask = async () => {
    setAsked(true)
    setProblem('')
    if (Object.keys(wrongs).length) return
    setBusy(true)
    setFound(null)
    try {
      const { patient_name, patient_id, modality } = typed
      const studies = await api.askArchive({ archive, patient_name: patient_name.trim(), patient_id: patient_id.trim(), dates: datesOf(typed), modality })
      setFound({ archive, studies })
    } catch (error) {
      setProblem(toldOf(error))
    } finally {
      setBusy(false)
    }
  }
  const text = (name: 'patient_name' | 'patient_id') => (
    <Field label={say(name)} problem={name === 'patient_name' ? wrong(name) : null}>
      <input value={typed[name]} maxLength={64} autocomplete="off" spellcheck={false} onInput={(event) => put({ [name]: event.currentTarget.value })} />
    </Field>
  )
  return (
    <section aria-busy={isBusy}>
      <h2>{say('archive_search')}</h2>
      <p class="soft">{say('archive_search_help')}</p>
      <form
        class="form row"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void ask()
        }}
      >
        <Field label={say('archive')}>
          <select value={archive} onChange={(event) => setChosen(event.currentTarget.value)}>
            {destinations.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
        {text('patient_name')}
        {text('patient_id')}
        <Field label={say('date_from')}>
          <input type="date" value={typed.from} onInput={(event) => put({ from: event.currentTarget.value })} />
        </Field>
        <Field label={say('date_to')} problem={wrong('to')}>
          <input type="date" value={typed.to} onInput={(event) => put({ to: event.currentTarget.value })} />
        </Field>
        <Field label={say('column_modality')}>
          <select value={typed.modality} onChange={(event) => put({ modality: event.currentTarget.value })}>
            <option value="">{say('any')}</option>
            <option>US</option>
            <option>MR</option>
          </select>
        </Field>
        <button class="strong" disabled={isBusy}>
          {say('search')}
        </button>
      </form>
      {problem && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
      {found && <Found key={found.archive} studies={found.studies} archive={found.archive} />}
    </section>
  )
}
