/** What the page knows. */

import type { Pixels } from '../api/container'
import type { ImageInfo, Phase, Point, Segments, Study, Summary, Traces } from '../api/types'

export type Language = 'en' | 'fr'
export type Theme = 'dark' | 'light'
export type SortKey = 'created' | 'name' | 'ejection_fraction' | 'grade'

/** All of one image that is drawn. Labels and traces are exchanged as a whole when they change, plane by plane inside. */
export interface Cine {
  info: ImageInfo
  /** Whole numbers that look-up tables take; `value = offset + step * number`. */
  pixels: { data: Uint8Array | Uint16Array | Int16Array; offset: number; step: number; channels: 1 | 3 }
  /** Darkest and brightest value that the file proposes. */
  window: readonly [number, number]
  /** When each frame was taken, from 0; made up evenly where the file does not say. */
  times_ms: number[]
  /** How long the film lasts until it begins again. */
  duration_ms: number
  /** Beats a minute, as the file says. */
  heart_rate: number | null
  /** Whether the times are those of the file. */
  hasTimes: boolean
  labels: { current: Pixels; automatic: Pixels; scheme: Record<string, number> } | null
  traces: { current: Traces; automatic: Traces } | null
  /** Counts changes of labels and traces, for whoever draws. */
  revision: number
}

/** What stands in one place of the grid. */
export interface View {
  image: string
  slice: number
  /** Shows this phase whatever the film does; null follows the film. */
  pin: Phase | null
  zoom: number
  /** Where the middle of the view looks, in pixels of the image from its middle. */
  pan: Point
}

/** ED, ES, the film and its curves; one, two or four films; all slices. */
export type Layout = 'review' | '1' | '2' | '4' | 'montage'

export type LayerName = 'labels' | 'contours' | 'automatic' | 'disks' | 'axis' | 'segments'

/** Both ends in pixels of the image. */
export interface Distance {
  image: string
  slice: number
  frame: number
  from: Point
  to: Point
}

export interface ExamState {
  study: Study
  cines: Readonly<Record<string, Cine>>
  layout: Layout
  views: readonly View[]
  /** Number of the view that keys and tools are about. */
  active: number
  /** Frame that each film shows now. */
  frame: Readonly<Record<string, number>>
  /** Darkest and brightest value, by image; what the file says where it is absent. */
  window: Readonly<Record<string, readonly [number, number]>>
  playing: boolean
  speed: number
  layers: Readonly<Record<LayerName, boolean>>
  /** Segments of the wall, once they were asked for; of another version than the present one they are not drawn. */
  segments: { version: number; images: Segments } | null
  /** Name of the tool under the pointer: one of the viewer, or of the editing. */
  tool: string
  distances: readonly Distance[]
  /** Name of the panel beside the views. */
  panel: string
  /** Series of the curves that is drawn. */
  series: string | null
  /** Sentence at the foot of the views, such as why a distance was refused. */
  said: string | null
  /** Numbers computed here while the pointer moves, by name of the quantity; the server's replace them. */
  provisional: Readonly<Record<string, number>> | null
}

export interface Upload {
  id: string
  name: string
  done: number
  total: number
  state: 'sending' | 'finding' | 'done' | 'failed'
  said: string[]
}

export interface WorkList {
  studies: readonly Summary[]
  total: number
  search: string
  sort: SortKey
  order: 'asc' | 'desc'
  uploads: readonly Upload[]
  loaded: boolean
}

export type Route = { page: 'list' } | { page: 'study'; id: string }

export interface State {
  route: Route
  language: Language
  themes: Readonly<Record<Route['page'], Theme>>
  person: string
  online: boolean
  problem: string | null
  dialog: 'keys' | 'person' | 'analyse' | null
  list: WorkList
  /** Fetched or refused; null while nothing is open. */
  opening: { id: string; said: string; failed: boolean } | null
  exam: ExamState | null
}

export const INITIAL: State = {
  route: { page: 'list' },
  language: 'en',
  themes: { list: 'dark', study: 'dark' },
  person: '',
  online: true,
  problem: null,
  dialog: null,
  list: { studies: [], total: 0, search: '', sort: 'created', order: 'desc', uploads: [], loaded: false },
  opening: null,
  exam: null,
}

export const LAYERS: Readonly<Record<LayerName, boolean>> = {
  labels: true,
  contours: true,
  automatic: true,
  disks: false,
  axis: true,
  segments: false,
}
