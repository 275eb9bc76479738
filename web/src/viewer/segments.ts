/** Fetches the segments of the wall while their layer is on: they are made when they are asked for, once for a version. */

import { isReading } from '../api/reading'
import { edits } from '../editing/state'
import { api, page, setExam } from '../store/page'
import type { ExamState } from '../store/state'

/** After the last of several corrections. */
const SETTLED_MS = 600

/** Whether segments can be asked for: a reading of a reader study, whose identifier is its path, is not exported. */
export const canDivide = ({ study }: ExamState): boolean => !isReading(study.id)

/** The version whose segments are to be fetched; null where none are, or where they are here. */
export function wantedVersion(exam: ExamState | null): number | null {
  if (!exam?.layers.segments || exam.study.state !== 'done' || !canDivide(exam)) return null
  return exam.segments?.version === exam.study.version ? null : exam.study.version
}

/** Whether it need not be tried again. */
async function fetchSegments(): Promise<boolean> {
  const { exam } = page.get()
  const version = wantedVersion(exam)
  if (!exam || version === null) return true
  const { id } = exam.study
  const isWanted = () => page.get().exam?.study.id === id && wantedVersion(page.get().exam) === version
  try {
    const images = await api.segments(id)
    if (!isWanted()) return true
    if (edits.get().waiting > 0) return false // they may be of the version that a correction under way makes
    const hasAny = Object.values(images).some((frames) => frames.some((slices) => slices.some((found) => found.length)))
    setExam({ segments: { version, images }, ...(hasAny ? {} : { said: 'segments_none' }) })
  } catch (error) {
    if (!isWanted()) return true
    setExam(({ layers }) => ({ layers: { ...layers, segments: false } }))
    page.set({ problem: error instanceof Error ? error.message : String(error) })
  }
  return true
}

/** Returns what ends it. */
export function followSegments(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const fetchIn = (delay_ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void fetchSegments().then((isDone) => isDone || fetchIn(SETTLED_MS)), delay_ms)
  }
  const end = page.watch(({ exam }) => wantedVersion(exam), (version) => {
    clearTimeout(timer)
    if (version !== null) fetchIn(page.get().exam?.segments ? SETTLED_MS : 0)
  })
  return () => {
    clearTimeout(timer)
    end()
  }
}
