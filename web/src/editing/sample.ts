/** For tests: an exam of two long axes with two frames each, half ellipsoids in a wall of 12 pixels, opened in the page. */

import type { ImageInfo, Measures, Plane, Quantity, Study } from '../api/types'
import { curveThrough } from '../geometry/curve'
import { disksOf, singlePlaneVolume, withFarthestApex } from '../geometry/disks'
import { fillPolygon } from '../geometry/fill'
import type { Point } from '../geometry/point'
import { evenly } from '../geometry/polygon'
import { halfEllipse } from '../geometry/shapes'
import { page } from '../store/page'
import type { Cine, ExamState } from '../store/state'
import { LAYERS } from '../store/state'
import { sent } from './planes'

export const SCHEME = { LV: 1, MYO: 2, LA: 3 }

export interface Size {
  height: number
  width: number
}

function planeOf(size: Size, apexHeight: number, radius: number): { plane: Plane; labels: Uint8Array } {
  const [base, middle] = [size.height * 0.75, size.width / 2]
  const lv = evenly(halfEllipse([base, middle], apexHeight, radius), 20)
  const epi = evenly(halfEllipse([base, middle], apexHeight + 12, radius + 12), 24)
  const [inner, outer] = [lv, epi].map((points) => fillPolygon(curveThrough(points), size.height, size.width).pixels)
  const labels = inner!.map((pixel, at) => (pixel ? SCHEME.LV : outer![at] ? SCHEME.MYO : 0))
  const annulus: [Point, Point] = [
    [base, middle - radius],
    [base, middle + radius],
  ]
  const axis = { annulus, apex: [base - apexHeight, middle] as Point }
  return {
    labels,
    plane: {
      contours: { lv: sent(lv), epi: sent(epi) },
      axis,
      disks: null,
      edited: false,
      verdict: null,
    },
  }
}

function cineOf(name: string, view: string, size: Size, radius: number): Cine {
  const frames = [planeOf(size, size.height * 0.45, radius), planeOf(size, size.height * 0.36, radius * 0.7)]
  const info: ImageInfo = {
    name,
    view,
    modality: 'US',
    frames: 2,
    slices: 1,
    ...size,
    spacing_mm: [0.5, 0.5],
    slice_mm: null,
    times_ms: [0, 300],
    phases: { ED: 0, ES: 1 },
    structures: Object.keys(SCHEME),
    contours: ['lv', 'epi'],
  }
  const labels = new Uint8Array(2 * size.height * size.width)
  frames.forEach((frame, at) => labels.set(frame.labels, at * size.height * size.width))
  const planes = frames.map(({ plane }) => [plane])
  return {
    info,
    labels: { current: labels, automatic: labels.slice(), scheme: SCHEME },
    traces: { current: { planes }, automatic: { planes: structuredClone(planes) } },
    revision: 0,
    times_ms: [0, 300],
    duration_ms: 600,
    hasTimes: true,
  } as unknown as Cine
}

const quantity = (name: string, value: number, unit: string, frames: string[], method: string): Quantity => ({
  name,
  value,
  unit,
  method,
  view: 'A4C',
  frames,
  flags: [],
})

/** Opens the exam in the page. */
export function openSample(size: Size = { height: 256, width: 256 }): ExamState {
  const cines = { four: cineOf('four', 'A4C', size, 40), two: cineOf('two', 'A2C', size, 36) }
  const volume = (frame: number): number => {
    const { contours, axis } = cines.four.traces!.current.planes[frame]![0]!
    const ring = curveThrough(contours['lv']!)
    return singlePlaneVolume(disksOf(ring, withFarthestApex(axis!.annulus, ring))!) / 8000
  }
  const [ed, es] = [volume(0), volume(1)]
  const method = 'method of disks, single plane'
  const quantities = [
    quantity('left_ventricular_ejection_fraction', 100 - (100 * es) / ed, 'percent', ['four:0', 'four:1'], method),
    quantity('left_ventricular_end_diastolic_volume', ed, 'ml', ['four:0'], method),
    quantity('left_ventricular_end_systolic_volume', es, 'ml', ['four:1'], method),
    quantity('left_ventricular_stroke_volume', ed - es, 'ml', ['four:0', 'four:1'], method),
    quantity('left_ventricular_end_diastolic_volume', 120, 'ml', ['four:0', 'two:0'], 'biplane method of disks'),
    quantity('left_ventricular_end_diastolic_area', 30, 'cm2', ['four:0'], 'traced'),
  ]
  const measures = { quantities, flags: [], key_frames: [], curves: [], beats: [], segments: [] } as unknown as Measures
  const study = {
    id: 's1',
    name: 'sample',
    version: 3,
    images: [cines.four.info, cines.two.info],
    measures,
    undo: 0,
    redo: 0,
    lease: null,
    edits: 0,
  } as unknown as Study
  const view = { image: 'four', slice: 0, pin: null, zoom: 1, pan: [0, 0] as Point }
  const exam = {
    study,
    cines,
    views: [view],
    active: 0,
    frame: { four: 0, two: 0 },
    layers: LAYERS,
    tool: 'select',
    playing: false,
    provisional: null,
  } as unknown as ExamState
  page.set({ exam, person: 'Ada' })
  return exam
}

/** Whether two planes hold the same labels: an assertion on so many numbers would take seconds. */
export const sameLabels = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((label, at) => label === other[at])
