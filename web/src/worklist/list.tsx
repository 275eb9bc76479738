/** The work list. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Summary } from '../api/types'
import { api, page, usePage } from '../store/page'
import type { SortKey, Upload } from '../store/state'
import { Confirm } from '../panels/dialog'
import { gradeKey, GradeMark } from '../panels/grade'
import { Icon } from '../style/icons'
import { useWords, type Key } from '../words'
import { date, interval, method, quantity, sign } from '../words/format'
import { chosen } from './drop'
import { refresh, refreshSoon } from './live'
import { dismiss, upload } from './upload'

const failed = (error: unknown): void => page.set({ problem: error instanceof Error ? error.message : String(error) })

function StateCell({ study }: { study: Summary }) {
  const say = useWords()
  const { state, progress, error } = study
  if (state === 'running') {
    const share = progress && progress.total > 0 ? progress.done / progress.total : null
    return (
      <div class="state running">
        <span>{progress?.text || say('state_running')}</span>
        <progress max={1} {...(share === null ? {} : { value: share })} aria-label={say('state_running')} />
      </div>
    )
  }
  if (state === 'failed') {
    return (
      <div class="state failed">
        <b>{say('state_failed')}</b> {error?.text}
        {error?.remedy && <em> {error.remedy}</em>}
      </div>
    )
  }
  if (state === 'done' && study.signed) return <div class="state signed">{say('state_signed')}</div>
  return <div class={`state ${state}`}>{say(`state_${state}` as Key)}</div>
}

function EjectionCell({ study }: { study: Summary }) {
  const language = usePage((state) => state.language)
  const found = study.ejection_fraction
  if (!found) return <span class="soft">–</span>
  const name = 'left_ventricular_ejection_fraction'
  return (
    <span class="ef" title={method(found.method, language)}>
      <b>{quantity(found.value, found.unit, name, language)}</b> {sign(found.unit)}
      {found.low !== null && found.high !== null && <i>{interval(found.low, found.high, found.unit, name, language)}</i>}
    </span>
  )
}

function Row({ study, onDelete }: { study: Summary; onDelete: () => void }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const isOpen = study.state === 'queued' || study.state === 'running'
  const hasPicture = study.state === 'done'
  const cancel = () => study.job && api.cancel(study.job).catch(failed)
  return (
    <tr class={study.state}>
      <td class="picture">{hasPicture ? <img src={api.thumbnail(study)} alt="" loading="lazy" width={64} height={48} /> : <span />}</td>
      <th scope="row">
        <a href={`#/studies/${encodeURIComponent(study.id)}`}>{study.name}</a>
        <span class="views-of">
          {study.views.length > 0 && <span>{study.views.join(' · ')}</span>}
          {study.origin !== 'upload' && <span>{say(`origin_${study.origin}` as Key)}</span>}
        </span>
      </th>
      <td class="date">{date(study.created, language)}</td>
      <td>
        <StateCell study={study} />
      </td>
      <td class="number">
        <EjectionCell study={study} />
      </td>
      <td>
        {study.grade && (
          <span class="grade-cell">
            <GradeMark grade={study.grade} /> {say(gradeKey(study.grade))}
          </span>
        )}
      </td>
      <td class="actions">
        {isOpen && study.job && (
          <button class="square" aria-label={say('cancel_of', { name: study.name })} title={say('cancel')} onClick={() => void cancel()}>
            <Icon name="stop" />
          </button>
        )}
        <button class="square" aria-label={say('delete_of', { name: study.name })} title={say('delete')} onClick={onDelete}>
          <Icon name="trash" />
        </button>
      </td>
    </tr>
  )
}

const COLUMNS: readonly [SortKey | null, Key][] = [
  [null, 'column_picture'],
  ['name', 'column_name'],
  ['created', 'column_created'],
  [null, 'column_state'],
  ['ejection_fraction', 'column_ejection'],
  ['grade', 'column_grade'],
  [null, 'column_actions'],
]

function Head() {
  const say = useWords()
  const sort = usePage(({ list }) => list.sort)
  const order = usePage(({ list }) => list.order)
  const choose = (key: SortKey) => {
    const next = key === sort ? (order === 'asc' ? 'desc' : 'asc') : key === 'name' ? 'asc' : 'desc'
    page.set(({ list }) => ({ list: { ...list, sort: key, order: next } }))
    void refresh()
  }
  return (
    <thead>
      <tr>
        {COLUMNS.map(([key, words]) => (
          <th key={words} scope="col" class={words} aria-sort={key === sort ? (order === 'asc' ? 'ascending' : 'descending') : undefined}>
            {key ? (
              <button class="sort" onClick={() => choose(key)}>
                {say(words)}
                <span aria-hidden="true">{key === sort ? (order === 'asc' ? '↑' : '↓') : ''}</span>
              </button>
            ) : (
              <span class={words === 'column_state' ? '' : 'hidden'}>{say(words)}</span>
            )}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function UploadLine({ each }: { each: Upload }) {
  const say = useWords()
  const words: Record<Upload['state'], Key> = { sending: 'upload_sending', finding: 'upload_finding', done: 'upload_done', failed: 'upload_failed' }
  return (
    <li class={each.state}>
      <b>{each.name}</b> <span>{say(words[each.state])}</span>
      {each.state === 'sending' && <progress max={each.total || 1} value={each.done} aria-label={say('upload_sending')} />}
      {each.said.length > 0 && (
        <ul>
          {each.said.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {(each.state === 'failed' || each.said.length > 0) && (
        <button class="square" aria-label={say('close')} onClick={() => dismiss(each.id)}>
          <Icon name="close" />
        </button>
      )}
    </li>
  )
}

function Adding() {
  const say = useWords()
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = (input: HTMLInputElement) => {
    void upload(chosen(input.files))
    input.value = ''
  }
  return (
    <>
      <button onClick={() => files.current?.click()}>
        <Icon name="file" />
        {say('add_files')}
      </button>
      <button onClick={() => folder.current?.click()}>
        <Icon name="folder" />
        {say('add_folder')}
      </button>
      <input ref={files} class="hidden" type="file" multiple tabIndex={-1} aria-label={say('add_files')} data-testid="files" onChange={(event) => take(event.currentTarget)} />
      <input
        ref={(input) => {
          folder.current = input
          input?.setAttribute('webkitdirectory', '')
        }}
        class="hidden"
        type="file"
        tabIndex={-1}
        aria-label={say('add_folder')}
        onChange={(event) => take(event.currentTarget)}
      />
    </>
  )
}

export function WorkListPage() {
  const say = useWords()
  const list = usePage((state) => state.list)
  const [deleted, setDeleted] = useState<Summary | null>(null)
  useEffect(() => void refresh(), [])
  const remove = async (study: Summary) => {
    setDeleted(null)
    try {
      await api.deleteStudy(study.id)
      await refresh()
    } catch (error) {
      failed(error)
    }
  }
  return (
    <main class="worklist">
      <header>
        <h1>{say('exams')}</h1>
        <span class="count">{list.loaded ? list.total : ''}</span>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            value={list.search}
            placeholder={say('search')}
            aria-label={say('search')}
            onInput={(event) => {
              const search = event.currentTarget.value
              page.set(({ list: now }) => ({ list: { ...now, search } }))
              refreshSoon()
            }}
          />
        </label>
        <Adding />
      </header>
      {list.uploads.length > 0 && (
        <ul class="uploads" aria-live="polite">
          {list.uploads.map((each) => (
            <UploadLine key={each.id} each={each} />
          ))}
        </ul>
      )}
      {list.loaded && !list.studies.length ? (
        <div class="nothing">
          <Icon name="folder" />
          <p>{say(list.search ? 'nothing_found' : 'nothing_yet')}</p>
          {!list.search && <p class="soft">{say('drop_help')}</p>}
        </div>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label={say('exams')}>
          <table class="studies">
            <Head />
            <tbody>
              {list.studies.map((study) => (
                <Row key={study.id} study={study} onDelete={() => setDeleted(study)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {deleted && (
        <Confirm
          title={say('delete')}
          text={say('delete_sure', { name: deleted.name })}
          verb={say('delete')}
          onYes={() => void remove(deleted)}
          onNo={() => setDeleted(null)}
        />
      )}
    </main>
  )
}
