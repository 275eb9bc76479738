/**
 * An exam as one reader traces it. Whoever shows and edits studies shows and edits these by the same words: a reading's
 * identifier is its path below the reader studies.
 */

import type { Measures, ReadingStudy, Study } from './types'

export const readingId = (group: string, study: string): string => `${group}/readings/${study}`

export const isReading = (id: string): boolean => id.includes('/')

/** Where a study, or a reading, lies below the root of the interface. */
export const pathOf = (id: string): string => (isReading(id) ? `/reader-studies/${id}` : `/studies/${id}`)

/** The study whose pixels are shown. */
export const studyOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1)

/** The reader study that a reading belongs to. */
export const groupOf = (id: string): string => id.slice(0, id.indexOf('/'))

const NOTHING: Measures = { version: 3, exam: '', flags: [], quantities: [], key_frames: [], curves: [], beats: [], segments: [], provenance: {} }

/** A reading as a study: nothing was found before, and what is measured follows from what the reader drew. */
export function studyOfReading(id: string, { version, images, measures, undo, redo, reader, done }: ReadingStudy): Study {
  return {
    id,
    name: '',
    created: '',
    state: 'done',
    progress: null,
    error: null,
    job: null,
    version,
    signed: null,
    ejection_fraction: null,
    grade: null,
    views: [],
    origin: 'upload',
    images,
    measures: measures ?? NOTHING,
    automatic: NOTHING,
    undo,
    redo,
    lease: null,
    edits: undo,
    reading: { reader, done },
  }
}
