import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openSample } from '../editing/sample'
import { edits, EDIT_INITIAL } from '../editing/state'
import { segmentsOf } from '../store/exam'
import { api, page, setExam } from '../store/page'
import { LAYERS } from '../store/state'
import { followSegments } from './segments'

const RING = { number: 3, points: [[0, 0], [0, 1], [1, 1]] as [number, number][] }
const exam = () => page.get().exam!
const shown = () => segmentsOf(exam(), 'four', 0, 0)
let asked: ReturnType<typeof vi.spyOn>
let end: () => void

beforeEach(() => {
  vi.useFakeTimers()
  openSample()
  edits.set(EDIT_INITIAL)
  setExam(({ study }) => ({ layers: LAYERS, segments: null, study: { ...study, state: 'done' } }))
  asked = vi.spyOn(api, 'segments').mockImplementation(() => Promise.resolve({ four: [[[RING]]] }))
  end = followSegments()
})

afterEach(() => {
  end()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const switchOn = () => setExam({ layers: { ...LAYERS, segments: true } })

test('segments are asked for when their layer is on, once for a version', async () => {
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toHaveBeenCalledTimes(0)
  switchOn()
  await vi.advanceTimersByTimeAsync(0)
  setExam({ layers: LAYERS })
  switchOn()
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toHaveBeenCalledTimes(1)
  expect(shown()).toEqual([RING])
})

test('those of another version are not drawn, and fetched again after the last correction', async () => {
  switchOn()
  await vi.advanceTimersByTimeAsync(0)
  for (let each = 0; each < 3; each++) {
    setExam(({ study }) => ({ study: { ...study, version: study.version + 1 } }))
    expect(shown()).toEqual([])
    await vi.advanceTimersByTimeAsync(100)
  }
  await vi.advanceTimersByTimeAsync(600)
  expect(asked).toHaveBeenCalledTimes(2)
  expect(shown()).toEqual([RING])
})

test('an answer that comes while a correction is under way is asked for again', async () => {
  edits.set({ waiting: 1 })
  switchOn()
  await vi.advanceTimersByTimeAsync(0)
  expect(shown()).toEqual([])
  edits.set({ waiting: 0 })
  await vi.advanceTimersByTimeAsync(600)
  expect(shown()).toEqual([RING])
})

test('a wall without segments is told of, and a refusal switches the layer off', async () => {
  asked.mockResolvedValueOnce({ four: [[[]]] })
  switchOn()
  await vi.advanceTimersByTimeAsync(0)
  expect(exam().said).toBe('segments_none')
  asked.mockRejectedValueOnce(new Error('no room'))
  setExam(({ study }) => ({ study: { ...study, version: study.version + 1 } }))
  await vi.advanceTimersByTimeAsync(600)
  expect([page.get().problem, exam().layers.segments]).toEqual(['no room', false])
})
