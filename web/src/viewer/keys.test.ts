import { expect, test } from 'vitest'
import { nameOfKey } from './keys'

const key = (event: Partial<KeyboardEvent>) =>
  nameOfKey({ altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, code: '', ...event } as KeyboardEvent)

test.each([
  [{ key: 'p', code: 'KeyP' }, 'p'],
  [{ key: 'D', code: 'KeyD', shiftKey: true }, 'Shift+d'],
  [{ key: '?', code: 'Slash', shiftKey: true }, '?'],
  [{ key: '?', code: 'KeyM', shiftKey: true }, '?'], // on a French keyboard
  [{ key: '"', code: 'Digit3', shiftKey: true }, 'Shift+3'],
  [{ key: '∂', code: 'KeyD', altKey: true }, 'Alt+d'], // what a Mac writes
  [{ key: 'z', code: 'KeyZ', metaKey: true }, 'Ctrl+z'],
  [{ key: 'ArrowLeft', code: 'ArrowLeft', altKey: true }, 'Alt+ArrowLeft'],
])('%o is %s', (event, name) => {
  expect(key(event)).toBe(name)
})
