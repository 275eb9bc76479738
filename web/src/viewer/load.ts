/** Fetches an exam into the state. */

import type { Container } from '../api/container'
import type { ImageInfo, Study } from '../api/types'
import { ApiError } from '../api/client'
import { api, page } from '../store/page'
import { LAYERS, type Cine, type ExamState } from '../store/state'
import { say } from '../words'
import { timesOf } from './clock'
import { middleSlice, viewsOf } from './layout'

/** Numbers that look-up tables take. Floating ones become 65,536 steps between the least and the greatest. */
export function pixelsOf({ data, header }: Container): Cine['pixels'] {
  const channels = header.shape.length === 5 ? 3 : 1
  if (!(data instanceof Float32Array)) return { data, offset: 0, step: 1, channels }
  let [low, high] = [Infinity, -Infinity]
  for (const value of data) {
    if (value < low) low = value
    if (value > high) high = value
  }
  if (!(high > low)) return { data: new Uint16Array(data.length), offset: Number.isFinite(low) ? low : 0, step: 1, channels }
  const step = (high - low) / 65535
  return { data: Uint16Array.from(data, (value) => Math.round((value - low) / step)), offset: low, step, channels }
}

async function optional<Found>(promise: Promise<Found>): Promise<Found | null> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null // an image that nothing traced
    throw error
  }
}

async function fetchCine(study: string, info: ImageInfo): Promise<Cine> {
  const [frames, current, automatic, traced, found] = await Promise.all([
    api.frames(study, info.name),
    optional(api.labels(study, info.name, 'current')),
    optional(api.labels(study, info.name, 'automatic')),
    optional(api.traces(study, info.name, 'current')),
    optional(api.traces(study, info.name, 'automatic')),
  ])
  const pixels = pixelsOf(frames)
  return {
    info,
    pixels,
    window: frames.header.window ?? [0, 255],
    ...timesOf(info.frames, info.times_ms ?? frames.header.times_ms ?? null),
    heart_rate: frames.header.heart_rate ?? null,
    labels: current && {
      current: current.data,
      automatic: (automatic ?? current).data,
      scheme: current.header.scheme ?? {},
    },
    traces: traced && { current: traced, automatic: found ?? traced },
    revision: 0,
  }
}

/** The image to begin with: that of the preferred ejection fraction, else the first. */
function firstImage(study: Study): string {
  const ejection = study.measures.quantities.find(({ name }) => name === 'left_ventricular_ejection_fraction')
  const named = ejection?.frames[0]?.replace(/:\d+$/, '')
  return study.images.find(({ name }) => name === named)?.name ?? study.images[0]?.name ?? ''
}

export function examOf(study: Study, cines: Record<string, Cine>): ExamState {
  const image = firstImage(study)
  const phases = (name: string) => study.images.find((each) => each.name === name)?.phases ?? {}
  return {
    study,
    cines,
    layout: 'review',
    views: viewsOf('review', cines, image, middleSlice(cines[image]!)),
    active: 2,
    frame: Object.fromEntries(Object.keys(cines).map((name) => [name, phases(name).ED ?? 0])),
    window: {},
    playing: false,
    speed: 1,
    layers: LAYERS,
    segments: null,
    tool: 'window',
    distances: [],
    panel: 'numbers',
    series: null,
    said: null,
    provisional: null,
  }
}

/** Opens a study. Where the same one is open already, what is shown stays as it is. */
export async function openStudy(id: string): Promise<void> {
  page.set({ opening: { id, said: '', failed: false } })
  const isWanted = () => {
    const { route, opening } = page.get()
    return route.page === 'study' && route.id === id && opening?.id === id
  }
  try {
    const study = await api.study(id)
    if (!isWanted()) return
    if (study.state !== 'done' && !study.images?.length) {
      page.set({ exam: null, opening: { id, said: study.error?.text ?? '', failed: study.state === 'failed' } })
      return
    }
    if (!study.images.length) {
      page.set({ exam: null, opening: { id, said: say(page.get().language, 'no_images'), failed: true } })
      return
    }
    const cines = await Promise.all(study.images.map((info) => fetchCine(id, info)))
    if (!isWanted()) return
    const fresh = examOf(study, Object.fromEntries(cines.map((cine) => [cine.info.name, cine])))
    const before = page.get().exam
    const isSame = before?.study.id === id
    page.set({ opening: null, exam: isSame ? { ...before, study: fresh.study, cines: fresh.cines, provisional: null } : fresh })
  } catch (error) {
    if (isWanted()) page.set({ opening: { id, said: error instanceof Error ? error.message : String(error), failed: true } })
  }
}

export const closeStudy = (): void => page.set({ exam: null, opening: null })
