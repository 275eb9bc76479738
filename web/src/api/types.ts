/** What the server says and hears: the shapes of `/api/v1`. Points are `[row, column]` in pixels of the image's grid. */

import type { Point } from '../geometry/point'

export type { Point }
export type Phase = 'ED' | 'ES'
export type Grade = 'not usable' | 'look twice' | 'note'
export type StudyState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
export type Origin = 'upload' | 'inbox' | 'dicom' | 'demo'
export type Which = 'current' | 'automatic'

export interface Progress {
  done: number
  total: number
  text: string
}

export interface Problem {
  text: string
  remedy: string | null
}

export interface Signature {
  by: string
  time: string
  checksum: string
  version: number
}

export interface Summary {
  id: string
  name: string
  created: string
  state: StudyState
  progress: Progress | null
  error: Problem | null
  job: string | null
  version: number
  signed: Signature | null
  ejection_fraction: { value: number; unit: string; low: number | null; high: number | null; method: string } | null
  grade: Grade | null
  views: string[]
  origin: Origin
}

export interface ImageInfo {
  name: string
  view: string
  modality: string
  frames: number
  slices: number
  height: number
  width: number
  spacing_mm: [number, number] | null
  slice_mm: number | null
  /** What shows tissue, and whose pixels have the stated size; null for all of the picture. */
  region?: [top: number, left: number, bottom: number, right: number] | null
  times_ms: number[] | null
  phases: Partial<Record<Phase, number>>
  structures: string[]
  contours: string[]
}

export interface Lease {
  holder: string
  expires: string
}

export interface Study extends Summary {
  images: ImageInfo[]
  measures: Measures
  automatic: Measures
  undo: number
  redo: number
  lease: Lease | null
  edits: number
  /** What a person said when it was analysed. */
  options?: AnalyseOptions | null
  /** Flags that somebody looked at and let stand; absent where the server keeps none. */
  accepted?: AcceptedFlag[]
  /** Where it is no study of its own, but what one reader draws of one, without seeing what was found. */
  reading?: { reader: string; done: string | null }
}

export interface AcceptedFlag {
  rule: string
  about: string
  text: string
  by: string
  time: string
  reason: string
}

// measures.json, version 3

export interface Flag {
  grade: Grade
  text: string
  rule: string
  about: string
}

export interface Interval {
  of: string
  low: number
  high: number
  share: number
}

export interface Quantity {
  name: string
  value: number
  unit: string
  method: string
  view: string
  frames: string[]
  interval?: [number, number] | null
  intervals?: Interval[]
  by_beat?: number[]
  flags: Flag[]
}

export interface Curve {
  image: string
  view: string
  times_ms: number[] | null
  [series: string]: unknown
}

export interface Beat {
  image: string
  view: string
  end_diastole: number
  end_systole: number
  stop: number | null
}

export interface SegmentValues {
  name: string
  unit: string
  method: string
  view: string
  values: Record<string, number | null>
  frames: string[]
  flags: Flag[]
}

export interface Measures {
  version: number
  exam: string
  flags: Flag[]
  quantities: Quantity[]
  key_frames: { view: string; phase: Phase; image: string; frame: number; chosen: string }[]
  curves: Curve[]
  beats: Beat[]
  segments: SegmentValues[]
  provenance: Provenance
  trust?: Record<string, { expected_dice?: Record<string, (number | null)[]>; unlikeness?: (number | null)[] }>
}

export interface Provenance {
  program?: string
  version?: string
  models?: { name: string; sha256: string; licence: string }[]
  images?: ImageProvenance[]
  given?: Record<string, unknown>
  left_out?: Record<string, string> | string[]
}

export interface ImageProvenance {
  name: string
  view: string
  modality: string
  shape: number[]
  spacing_mm: (number | null)[] | null
  pixel_size: string
  slice_distance: string
  orientation: string
  times: string
  notes: string[]
  doubts: string[]
  labels: string
}

// Contours

export interface Plane {
  /** By name ("lv", "epi", "la", ...): control points of a closed Catmull-Rom curve. */
  contours: Record<string, Point[]>
  /** `placed`: what a person placed; the rest is found in the labels. */
  axis: { apex: Point; annulus: [Point, Point]; placed?: ('apex' | 'annulus')[] } | null
  disks: [Point, Point][] | null
  edited: boolean
  verdict: 'accepted' | 'rejected' | null
}

/** One segment of the wall in a plane: a closed ring, and its number as the American Heart Association counts. */
export interface SegmentOutline {
  number: number | null
  points: Point[]
}

/** By image, `[frame][slice]`. */
export type Segments = Record<string, SegmentOutline[][][]>

/** `planes[frame][slice]` */
export interface Traces {
  planes: Plane[][]
}

// Editing

export type Gesture =
  | { kind: 'contour'; image: string; frame: number; slice: number; contour: string; points: Point[] }
  | { kind: 'plane'; image: string; frame: number; slice: number; labels: string }
  | { kind: 'landmarks'; image: string; frame: number; apex: Point | null; annulus: [Point, Point] | null }
  | { kind: 'key-frame'; image: string; phase: Phase; frame: number }
  | {
      kind: 'verdict'
      image: string
      frame: number
      slice: number
      verdict: 'accepted' | 'rejected' | null
      reason: string
    }
  | {
      kind: 'propagate'
      image: string
      frame: number
      slice: number
      contour: string | null
      to: 'next' | 'previous' | 'beat' | 'slice-up' | 'slice-down'
    }
  | { kind: 'flag'; rule: string; about: string; text: string; accepted: boolean; reason: string }
  | { kind: 'undo' }
  | { kind: 'redo' }
  | { kind: 'restore' }

export interface Changed {
  image: string
  frame: number
  slice: number
  /** base64 of the zlib-compressed plane, uint8 */
  labels: string
  plane: Plane
}

export interface EditAnswer {
  version: number
  measures: Measures
  study: Summary
  undo: number
  redo: number
  changed: Changed[]
  phases: Record<string, Partial<Record<Phase, number>>>
  accepted?: AcceptedFlag[]
}

export interface Job {
  id: string
  kind: string
  study: string | null
  state: StudyState
  progress: Progress | null
  error: Problem | null
  result: unknown
}

export interface UploadFile {
  n: number
  name: string
  received: number
}

export interface AnalyseOptions {
  views?: Record<string, string>
  spacing_mm?: [number, number] | null
  frame_rate_hz?: number | null
  heart_rate?: number | null
  height_cm?: number | null
  weight_kg?: number | null
  sex?: string | null
  model?: string | null
  language?: string
}

// Reader studies

export interface Reading {
  study: string
  reader: string
  version: number
  opened: string | null
  done: string | null
  /** From opened to done. */
  seconds: number | null
}

export interface ReaderStudy {
  id: string
  name: string
  created: string
  /** In the order of exams, then of readers. */
  readings: Reading[]
}

/** An exam as one reader has drawn it so far. */
export interface ReadingStudy {
  id: string
  study: string
  reader: string
  version: number
  images: ImageInfo[]
  measures: Measures | null
  undo: number
  redo: number
  done: string | null
}

interface AgreementHead {
  first: string
  second: string
  name: string
}

export interface OutlineAgreement extends AgreementHead {
  what: 'outline'
  images: number
  frames: number
  dice: number | null
  hausdorff_mm: number | null
  mean_absolute_mm: number | null
}

export interface QuantityAgreement extends AgreementHead {
  what: 'quantity'
  exams: number
  bias: number | null
  sd: number | null
  lower_limit: number | null
  upper_limit: number | null
  mean_absolute_error: number | null
  icc: number | null
  /** Exam, first reader's value, second reader's. */
  pairs: [string, number, number][]
}

export type Agreement = OutlineAgreement | QuantityAgreement

// Archives

export interface NodeTold {
  runs: boolean
  ae_title: string | null
  host: string | null
  port: number | null
  peers: string[]
  problem: string | null
  receiving: number
  studies: number
  last: string | null
}

/** An archive; what else the server keeps of it stays as it is. */
export interface Destination {
  name: string
  kind: 'dicom' | 'dicomweb'
  host: string
  port: number
  ae_title: string
  own_ae_title: string
  url: string
  user: string
  password_file?: string
  [other: string]: unknown
}

/** Archives that are known, and which saving they are of. */
export interface Destinations {
  destinations: Destination[]
  version: string
}

export interface ArchiveQuestion {
  archive: string
  patient_name: string
  patient_id: string
  dates: string
  modality: string
}

export interface FoundStudy {
  study_uid: string
  patient_id: string
  patient_name: string
  date: string
  description: string
  modalities: string[]
  objects: number | null
}

export type Form = 'segmentations' | 'structured-report' | 'pages' | 'pdf'

export interface Rule {
  name: string
  origins: Origin[]
  modalities: string[]
  analyse: boolean
  send_to: string[]
  forms: Form[]
}

/** What happens by itself, and which saving it is of. */
export interface Rules {
  rules: Rule[]
  version: string
}
