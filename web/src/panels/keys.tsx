/** All keys, as they are bound. */

import { editing } from '../editing/session'
import { page } from '../store/page'
import { isKey, useWords, type Key } from '../words'
import { bindingsOf } from '../viewer/keys'
import { Dialog } from './dialog'

const SIGNS: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ' ': 'Space',
  Delete: 'Del',
}

const MOUSE = ['wheel', 'shift_wheel', 'ctrl_wheel', 'ctrl_shift_wheel', 'middle', 'right', 'pinch'] as const

function KeyName({ name }: { name: string }) {
  const parts = name.split('+').map((part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part))
  return (
    <>
      {parts.map((part, index) => (
        <kbd key={index}>{part}</kbd>
      ))}
    </>
  )
}

export function KeysDialog() {
  const say = useWords()
  return (
    <Dialog title={say('keys')} onClose={() => page.set({ dialog: null })} isWide>
      <dl class="keys">
        {bindingsOf(editing()).map(({ keys, says }) => (
          <div key={`${says} ${keys.join()}`}>
            <dt>
              {keys.map((key) => (
                <KeyName key={key} name={key} />
              ))}
            </dt>
            <dd>{isKey(says) ? say(says) : says}</dd>
          </div>
        ))}
        {MOUSE.map((name) => (
          <div key={name}>
            <dt>{say(`mouse_${name}` as Key)}</dt>
            <dd>{say(`mouse_${name}_does` as Key)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
