/** How far the readers of a study are. */

import type { Reading, ReaderStudy } from '../api/types'

/** In the order that they are read in. */
export const examsOf = ({ readings }: ReaderStudy): string[] => [...new Set(readings.map(({ study }) => study))]

export const readersOf = ({ readings }: ReaderStudy): string[] => [...new Set(readings.map(({ reader }) => reader))]

export const readingsOf = ({ readings }: ReaderStudy, reader: string): Reading[] => readings.filter((each) => each.reader === reader)

/** What a reader has to read next; null where all is done. */
export const nextOf = (group: ReaderStudy, reader: string): Reading | null => readingsOf(group, reader).find(({ done }) => done === null) ?? null

/** Which exam it is, from 1; 0 where it is none of the study. */
export const numberOf = (group: ReaderStudy, study: string): number => examsOf(group).indexOf(study) + 1

export interface Progress {
  done: number
  all: number
  /** Median of the times of the exams that are done; null before the first. */
  seconds: number | null
}

export function progressOf(readings: readonly Reading[]): Progress {
  const times = readings.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]))
  return { done: readings.filter(({ done }) => done !== null).length, all: readings.length, seconds: median(times) }
}

export function median(values: readonly number[]): number | null {
  if (!values.length) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Whether two readers have done the same exam. */
export function canCompare(group: ReaderStudy): boolean {
  const done = group.readings.filter((each) => each.done !== null).map(({ study }) => study)
  return new Set(done).size < done.length
}

/** Names that were written a line each, each once. */
export const namesIn = (text: string): string[] => [...new Set(text.split('\n').map((line) => line.trim().replace(/\s+/g, ' ')).filter(Boolean))]
