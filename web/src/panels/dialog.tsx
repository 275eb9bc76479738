/** A window over the page; the browser holds the focus in it and closes it by Escape. */

import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../style/icons'
import { useWords } from '../words'

export function Dialog({ title, onClose, children, isWide = false }: { title: string; onClose: () => void; children: ComponentChildren; isWide?: boolean }) {
  const say = useWords()
  const place = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = place.current!
    dialog.showModal()
    return () => dialog.close()
  }, [])
  return (
    <dialog ref={place} class={isWide ? 'wide' : ''} aria-labelledby="dialog-title" onCancel={(event) => (event.preventDefault(), onClose())}>
      <header>
        <h2 id="dialog-title">{title}</h2>
        <button class="square" aria-label={say('close')} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  )
}

export function Confirm({ title, text, verb, onYes, onNo }: { title: string; text: string; verb: string; onYes: () => void; onNo: () => void }) {
  const say = useWords()
  return (
    <Dialog title={title} onClose={onNo}>
      <p>{text}</p>
      <footer>
        <button onClick={onNo} autofocus>
          {say('cancel')}
        </button>
        <button class="danger" onClick={onYes}>
          {verb}
        </button>
      </footer>
    </Dialog>
  )
}
