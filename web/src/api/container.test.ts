import { expect, test } from 'vitest'
import { readContainer } from './container'

function container(header: object, block: Uint8Array): ArrayBuffer {
  let text = JSON.stringify(header)
  while ((8 + text.length) % 8) text += ' '
  const bytes = new Uint8Array(8 + text.length + block.length)
  bytes.set(new TextEncoder().encode('CTA1'))
  new DataView(bytes.buffer).setUint32(4, text.length, true)
  bytes.set(new TextEncoder().encode(text), 8)
  bytes.set(block, 8 + text.length)
  return bytes.buffer
}

test('an array of two bytes a pixel is read in the order of its header', () => {
  const read = readContainer(container({ shape: [1, 1, 1, 2], dtype: 'int16' }, new Uint8Array([1, 0, 0xff, 0xff])))
  expect([...read.data]).toEqual([1, -1])
})

test('a damaged array is refused', () => {
  expect(() => readContainer(container({ shape: [1, 1, 2, 2], dtype: 'uint8' }, new Uint8Array(3)))).toThrow('cut short')
  expect(() => readContainer(container({ shape: [1], dtype: 'complex64' }, new Uint8Array(8)))).toThrow('complex64')
  expect(() => readContainer(new ArrayBuffer(16))).toThrow('version 1')
})
