/** Archives that are known: added, tested, changed, removed. */

import { useState } from 'preact/hooks'
import type { Destination, Destinations } from '../api/types'
import { Confirm, Dialog } from '../panels/dialog'
import { Field } from '../panels/field'
import { api } from '../store/page'
import { Icon } from '../style/icons'
import { useWords, type Key } from '../words'
import { addressOf, NEW_DESTINATION, sentOf, wrongsIn, type Wrongs } from './destinations'

const toldOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

interface FormProps {
  title: string
  given: Destination
  others: readonly Destination[]
  /** Raises what the server refuses. */
  onSave: (destination: Destination) => Promise<void>
  onClose: () => void
}

function DestinationForm({ title, given, others, onSave, onClose }: FormProps) {
  const say = useWords()
  const [typed, setTyped] = useState(given)
  const [isAsked, setAsked] = useState(false)
  const [problem, setProblem] = useState('')
  const wrongs = wrongsIn(typed, others)
  const put = (change: Partial<Destination>) => {
    setTyped((before) => ({ ...before, ...change }))
    setProblem('')
  }
  const save = async () => {
    setAsked(true)
    if (Object.keys(wrongs).length) return
    try {
      await onSave(sentOf(typed))
    } catch (error) {
      setProblem(toldOf(error))
    }
  }
  const wrong = (name: keyof Wrongs): string | null => (isAsked && wrongs[name] ? say(wrongs[name]) : null)
  const text = (name: 'name' | 'host' | 'ae_title' | 'own_ae_title' | 'url' | 'user', label: Key) => (
    <Field label={say(label)} problem={name === 'user' ? null : wrong(name)}>
      <input value={typed[name]} maxLength={200} autocomplete="off" spellcheck={false} onInput={(event) => put({ [name]: event.currentTarget.value })} />
    </Field>
  )
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        {text('name', 'destination_name')}
        <Field label={say('destination_kind')}>
          <select value={typed.kind} onChange={(event) => put({ kind: event.currentTarget.value as Destination['kind'] })}>
            <option value="dicom">{say('kind_dicom')}</option>
            <option value="dicomweb">{say('kind_dicomweb')}</option>
          </select>
        </Field>
        {typed.kind === 'dicom' ? (
          <>
            <div class="pair">
              {text('host', 'destination_host')}
              <Field label={say('destination_port')} problem={wrong('port')}>
                <input inputMode="numeric" value={Number.isNaN(typed.port) ? '' : String(typed.port)} onInput={(event) => put({ port: event.currentTarget.value.trim() ? Number(event.currentTarget.value) : NaN })} />
              </Field>
            </div>
            <div class="pair">
              {text('ae_title', 'destination_ae_title')}
              {text('own_ae_title', 'destination_own_ae_title')}
            </div>
          </>
        ) : (
          <>
            {text('url', 'destination_url')}
            <div class="pair">
              {text('user', 'destination_user')}
              <Field label={say('destination_password_file')} help={say('destination_password_help')}>
                <input value={typed.password_file ?? ''} autocomplete="off" spellcheck={false} onInput={(event) => put({ password_file: event.currentTarget.value })} />
              </Field>
            </div>
          </>
        )}
        <footer>
          {problem && (
            <p class="wrong" role="alert">
              {problem}
            </p>
          )}
          <button type="button" onClick={onClose}>
            {say('cancel')}
          </button>
          <button class="strong">{say('save')}</button>
        </footer>
      </form>
    </Dialog>
  )
}

type Told = { kind: 'soft' | 'good' | 'wrong'; text: string }

function Row({ destination, told, onTest, onEdit, onRemove }: { destination: Destination; told: Told | undefined; onTest: () => void; onEdit: () => void; onRemove: () => void }) {
  const say = useWords()
  const { name, kind } = destination
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{say(kind === 'dicom' ? 'kind_dicom' : 'kind_dicomweb')}</td>
      <td>{addressOf(destination)}</td>
      <td>
        <span role="status" class={told?.kind}>
          {told?.text}
        </span>
      </td>
      <td class="actions">
        <button aria-label={say('destination_test_of', { name })} onClick={onTest}>
          {say('destination_test')}
        </button>
        <button aria-label={say('destination_edit_of', { name })} onClick={onEdit}>
          {say('edit')}
        </button>
        <button class="square" aria-label={say('destination_remove_of', { name })} title={say('remove')} onClick={onRemove}>
          <Icon name="trash" />
        </button>
      </td>
    </tr>
  )
}

export function DestinationsPart({ known, onChange }: { known: Destinations; onChange: (known: Destinations) => void }) {
  const say = useWords()
  const { destinations, version } = known
  const [edited, setEdited] = useState<Destination | null>(null)
  const [removed, setRemoved] = useState<Destination | null>(null)
  const [told, setTold] = useState<Readonly<Record<string, Told>>>({})
  const tell = (name: string, kind: Told['kind'], text: string) => setTold((before) => ({ ...before, [name]: { kind, text } }))
  const others = destinations.filter((each) => each !== edited)
  const isNew = edited !== null && !destinations.includes(edited)
  const test = async (name: string) => {
    tell(name, 'soft', `${say('destination_asking')} …`)
    try {
      await api.echo(name)
      tell(name, 'good', say('destination_answers'))
    } catch (error) {
      tell(name, 'wrong', toldOf(error))
    }
  }
  const keep = async (destination: Destination) => {
    onChange(await api.setDestinations(isNew ? [...destinations, destination] : destinations.map((each) => (each === edited ? destination : each)), version))
    setTold({})
    setEdited(null)
  }
  const remove = async (destination: Destination) => {
    setRemoved(null)
    try {
      onChange(await api.setDestinations(destinations.filter((each) => each !== destination), version))
    } catch (error) {
      tell(destination.name, 'wrong', toldOf(error))
    }
  }
  return (
    <section>
      <h2>
        {say('destinations')}
        <button onClick={() => setEdited(NEW_DESTINATION)}>{say('add')}</button>
      </h2>
      <p class="soft">{say(destinations.length ? 'destinations_help' : 'destinations_none')}</p>
      {destinations.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{say('destination_name')}</th>
              <th scope="col">{say('destination_kind')}</th>
              <th scope="col">{say('node_address')}</th>
              <th scope="col">{say('column_state')}</th>
              <th scope="col">
                <span class="hidden">{say('column_actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {destinations.map((each) => (
              <Row key={each.name} destination={each} told={told[each.name]} onTest={() => void test(each.name)} onEdit={() => setEdited(each)} onRemove={() => setRemoved(each)} />
            ))}
          </tbody>
        </table>
      )}
      {edited && (
        <DestinationForm
          title={isNew ? say('destination_new') : say('destination_change', { name: edited.name })}
          given={edited}
          others={others}
          onSave={keep}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && (
        <Confirm
          title={say('remove')}
          text={say('destination_remove_sure', { name: removed.name })}
          verb={say('remove')}
          onYes={() => void remove(removed)}
          onNo={() => setRemoved(null)}
        />
      )}
    </section>
  )
}
