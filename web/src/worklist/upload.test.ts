import { expect, test } from 'vitest'
import { ApiError } from '../api/client'
import { sendFile, type Sender } from './upload'

const FOUND = { name: 'a/b.dcm', file: new File([new Uint8Array(10)], 'b.dcm') }
const at_once = () => Promise.resolve()

function server(answers: (number | Error)[]): Sender & { asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    sendPart(_upload, _n, _name, offset) {
      asked.push(offset)
      const answer = answers.shift()
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? 10)
    },
  }
}

test('a connection that breaks is tried again from the same byte', async () => {
  const to = server([new TypeError('network'), new ApiError(503, { text: 'busy', remedy: null }, null), 10])
  let sent = 0
  await sendFile(to, 'u', 0, FOUND, (bytes) => (sent += bytes), at_once)
  expect(to.asked).toEqual([0, 0, 0])
  expect(sent).toBe(10)
})

test('where the server has less or more than was thought, it is believed', async () => {
  const to = server([4, new ApiError(409, { text: 'elsewhere', remedy: null }, { received: 7 }), 10])
  let sent = 0
  await sendFile(to, 'u', 0, FOUND, (bytes) => (sent += bytes), at_once)
  expect(to.asked).toEqual([0, 4, 7])
  expect(sent).toBe(10)
})

test('what the server refuses is refused', async () => {
  const to = server([new ApiError(413, { text: 'too large', remedy: null }, null)])
  await expect(sendFile(to, 'u', 0, FOUND, () => undefined, at_once)).rejects.toThrow('too large')
})

test('an empty file is sent too', async () => {
  const to = server([0])
  await sendFile(to, 'u', 0, { name: 'empty', file: new File([], 'empty') }, () => undefined, at_once)
  expect(to.asked).toEqual([0])
})
