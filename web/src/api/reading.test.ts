import { expect, test } from 'vitest'
import { groupOf, isReading, pathOf, readingId, studyOf, studyOfReading } from './reading'

test('a reading lies below its reader study, and shows the pixels of its study', () => {
  const id = readingId('g', 's')
  expect([isReading(id), isReading('s')]).toEqual([true, false])
  expect([pathOf(id), pathOf('s')]).toEqual(['/reader-studies/g/readings/s', '/studies/s'])
  expect([studyOf(id), studyOf('s'), groupOf(id)]).toEqual(['s', 's', 'g'])
})

test('a reading has no result of anybody else', () => {
  const study = studyOfReading('g/readings/s', { id: 'r', study: 's', reader: 'A', version: 2, images: [], measures: null, undo: 2, redo: 1, done: null })
  expect(study.measures.quantities).toEqual([])
  expect(study.automatic).toEqual(study.measures)
  expect([study.version, study.undo, study.redo, study.ejection_fraction, study.reading]).toEqual([2, 2, 1, null, { reader: 'A', done: null }])
})
