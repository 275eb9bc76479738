/** Plays films: the frame follows from the time that has passed, never from counting calls. */

import { page, setExam } from '../store/page'
import type { Cine } from '../store/state'
import { drawNow } from './drawing'

/** The last frame that was taken before this time. */
export function frameAt(times: readonly number[], position: number): number {
  let low = 0
  let high = times.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (times[middle]! <= position) low = middle
    else high = middle - 1
  }
  return low
}

const UNKNOWN_MS = 40

/** Times from 0 and the length of the round; a film without times is shown at 25 frames a second, and the page says so. */
export function timesOf(
  frames: number,
  times: readonly number[] | null,
): Pick<Cine, 'times_ms' | 'duration_ms' | 'hasTimes'> {
  const isUsable = times?.length === frames && times.every((time, index) => index === 0 || time > times[index - 1]!)
  const from0 = isUsable ? times.map((time) => time - times[0]!) : Array.from({ length: frames }, (_, index) => index * UNKNOWN_MS)
  const last = from0[frames - 1] ?? 0
  const step = frames > 1 ? last / (frames - 1) : UNKNOWN_MS
  return { times_ms: from0, duration_ms: last + step, hasTimes: isUsable }
}

export const SPEEDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2] as const

let ticking = 0
let since = 0
let position: Record<string, number> = {}

function begin(): void {
  const { exam } = page.get()
  if (!exam) return
  since = performance.now()
  position = Object.fromEntries(
    Object.entries(exam.cines).map(([image, cine]) => [image, cine.times_ms[exam.frame[image] ?? 0] ?? 0]),
  )
}

function tick(now: number): void {
  const { exam } = page.get()
  if (!exam?.playing) {
    ticking = 0
    return
  }
  ticking = requestAnimationFrame(tick)
  const passed = Math.max(0, now - since) * exam.speed
  const frame = { ...exam.frame }
  let isMoved = false
  for (const [image, cine] of Object.entries(exam.cines)) {
    const next = frameAt(cine.times_ms, ((position[image] ?? 0) + passed) % cine.duration_ms)
    isMoved ||= next !== frame[image]
    frame[image] = next
  }
  if (!isMoved) return
  setExam({ frame })
  drawNow()
}

export function play(): void {
  setExam({ playing: true })
  begin()
  if (!ticking) ticking = requestAnimationFrame(tick)
}

export const pause = (): void => setExam({ playing: false })

export const togglePlay = (): void => (page.get().exam?.playing ? pause() : play())

export function setSpeed(speed: number): void {
  setExam({ speed })
  begin()
}

export function changeSpeed(by: number): void {
  const { exam } = page.get()
  if (!exam) return
  const at = SPEEDS.findIndex((speed) => speed >= exam.speed)
  setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] ?? 1)
}

/** Stops at a frame of one film. */
export function showFrame(image: string, frame: number): void {
  const { exam } = page.get()
  const cine = exam?.cines[image]
  if (!exam || !cine) return
  const count = cine.info.frames
  setExam({ playing: false, frame: { ...exam.frame, [image]: ((frame % count) + count) % count } })
}
