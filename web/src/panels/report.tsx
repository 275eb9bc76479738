/** What leaves: report, files, signature, sending. */

import { useEffect, useState } from 'preact/hooks'
import type { Which } from '../api/types'
import { api, page, setExam, usePage } from '../store/page'
import { Icon } from '../style/icons'
import { useWords, type Key } from '../words'
import { date } from '../words/format'
import { askPerson } from './person'

const FORMS = [
  'report.html',
  'report.pdf',
  'labels.zip',
  'measures.json',
  'measures.csv',
  'segmentations.zip',
  'structured-report.dcm',
  'fhir.json',
] as const

const SENT = ['segmentations.zip', 'structured-report.dcm', 'report.pdf'] as const

/** Fetches a file and saves it: what cannot be made is said, and not saved as if it were the file. */
export async function save(path: string, form: string): Promise<void> {
  const link = document.createElement('a')
  const made = await api.file(path)
  link.href = URL.createObjectURL(made.content)
  link.download = made.name ?? form
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

const failed = (error: unknown): void => page.set({ problem: error instanceof Error ? error.message : String(error) })

function Sign() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const study = usePage(({ exam }) => exam?.study)
  const grade = usePage(({ exam }) => exam?.study.grade)
  const [isBusy, setBusy] = useState(false)
  if (!study) return null
  const { signed } = study
  const isSigned = signed !== null && signed.version === study.version
  const sign = async () => {
    setBusy(true)
    try {
      const name = await askPerson()
      if (!name) return
      const { version, checksum, time } = await api.sign(study.id, study.version, name)
      setExam(({ study: now }) => ({ study: { ...now, signed: { by: name, time, checksum, version } } }))
    } catch (error) {
      failed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section>
      <h2>{say('signature')}</h2>
      {signed && (
        <p>
          {say('signed_by', { name: signed.by, time: date(signed.time, language) })}
          <br />
          <code title={signed.checksum}>{signed.checksum.slice(0, 16)}</code>
        </p>
      )}
      {signed && !isSigned && <p class="doubt">{say('signed_earlier', { version: signed.version })}</p>}
      {!isSigned && (
        <>
          <p class="soft">{say(grade === 'not usable' ? 'sign_doubt' : 'sign_help')}</p>
          <button class="strong" disabled={isBusy} onClick={() => void sign()}>
            {say('sign')}
          </button>
        </>
      )}
    </section>
  )
}

function Send({ study }: { study: string }) {
  const say = useWords()
  const [names, setNames] = useState<string[]>([])
  const [said, setSaid] = useState('')
  useEffect(() => {
    api.destinations().then((found) => setNames(found.destinations.map(({ name }) => name)), () => setNames([]))
  }, [])
  if (!names.length) return null
  const send = async (to: string) => {
    try {
      await api.send(study, to, SENT)
      setSaid(say('sending_to', { name: to }))
    } catch (error) {
      failed(error)
    }
  }
  return (
    <section>
      <h2>{say('send')}</h2>
      {names.map((name) => (
        <button key={name} onClick={() => void send(name)}>
          {name}
        </button>
      ))}
      <p role="status">{said}</p>
    </section>
  )
}

export function Report() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const study = usePage(({ exam }) => exam?.study)
  const [of, setOf] = useState<Which>('current')
  const [making, setMaking] = useState<string | null>(null)
  if (!study) return null
  const fetched = async (event: Event, form: string) => {
    event.preventDefault()
    if (making) return
    setMaking(form)
    await save(api.exported(study.id, form, of, language), form).catch(failed)
    setMaking(null)
  }
  return (
    <div class="report">
      <Sign />
      <section>
        <h2>{say('files')}</h2>
        {study.edits > 0 && (
          <div class="choice" role="group" aria-label={say('which')}>
            {(['current', 'automatic'] as const).map((each) => (
              <button key={each} aria-pressed={of === each} onClick={() => setOf(each)}>
                {say(each === 'current' ? 'as_edited' : 'automatic')}
              </button>
            ))}
          </div>
        )}
        <ul class="files">
          {FORMS.map((form) => (
            <li key={form}>
              <a
                href={api.exported(study.id, form, of, language)}
                aria-busy={making === form}
                onClick={(event) => void fetched(event, form)}
              >
                <Icon name={form === 'report.html' ? 'file' : 'download'} />
                {say(`form_${form.replace(/[.-]/g, '_')}` as Key)}
                {making === form && ' …'}
              </a>
            </li>
          ))}
        </ul>
      </section>
      <Send study={study.id} />
    </div>
  )
}
