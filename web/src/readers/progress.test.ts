import { expect, test } from 'vitest'
import type { ReaderStudy, Reading } from '../api/types'
import { canCompare, examsOf, median, namesIn, nextOf, numberOf, progressOf, readersOf, readingsOf } from './progress'

const reading = (study: string, reader: string, seconds: number | null = null): Reading => ({
  study,
  reader,
  version: 0,
  opened: null,
  done: seconds === null ? null : '2026-01-01T00:00:00Z',
  seconds,
})
const group = (...readings: Reading[]): ReaderStudy => ({ id: 'g', name: 'n', created: '', readings })

test('a reader goes on with the first exam that is not done', () => {
  const study = group(reading('x', 'A', 60), reading('x', 'B'), reading('y', 'A'), reading('y', 'B'))
  expect(examsOf(study)).toEqual(['x', 'y'])
  expect(readersOf(study)).toEqual(['A', 'B'])
  expect([nextOf(study, 'A')?.study, nextOf(study, 'B')?.study, nextOf(study, 'C')]).toEqual(['y', 'x', null])
  expect([numberOf(study, 'y'), numberOf(study, 'z')]).toEqual([2, 0])
})

test('times are told by their median, which one long pause does not move', () => {
  const study = group(reading('x', 'A', 60), reading('y', 'A', 90), reading('z', 'A', 36000), reading('w', 'A'))
  expect(progressOf(readingsOf(study, 'A'))).toEqual({ done: 3, all: 4, seconds: 90 })
  expect(progressOf([reading('x', 'A')])).toEqual({ done: 0, all: 1, seconds: null })
  expect([median([1, 4, 2, 3]), median([])]).toEqual([2.5, null])
})

test('there is something to compare once two have done the same exam', () => {
  expect(canCompare(group(reading('x', 'A', 1), reading('y', 'B', 1)))).toBe(false)
  expect(canCompare(group(reading('x', 'A', 1), reading('x', 'B', 1)))).toBe(true)
})

test('names stand a line each', () => {
  expect(namesIn(' A.  Roy \n\nB. Lee\nA. Roy')).toEqual(['A. Roy', 'B. Lee'])
})
