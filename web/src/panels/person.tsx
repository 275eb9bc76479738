/** Who works: asked once, kept in this browser, written into the journal of edits. */

import { useState } from 'preact/hooks'
import { api, page } from '../store/page'
import { useWords } from '../words'
import { Dialog } from './dialog'

const KEY = 'cardiotrace-person'
let waiting: ((name: string | null) => void)[] = []

export function setPerson(name: string): void {
  api.person = name
  page.set({ person: name })
  try {
    localStorage.setItem(KEY, name)
  } catch {
    // a browser that keeps nothing asks again
  }
}

export function recallPerson(): void {
  try {
    const name = localStorage.getItem(KEY)
    if (name) setPerson(name)
  } catch {
    // as above
  }
}

/** The name, asked for where none is known yet; null where none was given. */
export function askPerson(): Promise<string | null> {
  const { person } = page.get()
  if (person) return Promise.resolve(person)
  page.set({ dialog: 'person' })
  return new Promise((resolve) => waiting.push(resolve))
}

export function PersonDialog() {
  const say = useWords()
  const [name, setName] = useState(page.get().person)
  const close = (given: string | null) => {
    const told = waiting
    waiting = []
    page.set({ dialog: null })
    for (const tell of told) tell(given)
  }
  return (
    <Dialog title={say('who')} onClose={() => close(null)}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!name.trim()) return
          setPerson(name.trim())
          close(name.trim())
        }}
      >
        <p>{say('who_help')}</p>
        <label>
          <span>{say('name')}</span>
          <input value={name} maxLength={80} autofocus autocomplete="name" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <footer>
          <button type="button" onClick={() => close(null)}>
            {say('cancel')}
          </button>
          <button class="strong" disabled={!name.trim()}>
            {say('ok')}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
