/**
 * Numbers while the hand moves: what the server's numbers become if sizes change as they do here.
 *
 * The page measures the same shapes before and now, by the formulas of the server but from curves; what it shows is the
 * server's number times the change. So nothing jumps when a gesture begins, a gesture taken back gives the very same
 * number, and a small difference of method cancels. Every such number is provisional: the server's own replaces it.
 */

import type { ImageInfo, Phase, Plane, Quantity, Study } from '../api/types'
import { curveThrough } from '../geometry/curve'
import {
  areaLengthVolume,
  axisLength,
  biplaneVolume,
  type Disks,
  disksOf,
  type LongAxis,
  singlePlaneVolume,
} from '../geometry/disks'
import { PIXELS, type PixelSize, type Point, scaled } from '../geometry/point'
import { areaOf } from '../geometry/polygon'
import type { Cine } from '../store/state'

/** What numbers are made of in one frame of an image: mm where the size of pixels is known. Only changes count. */
export interface Shape {
  /** Pixels of each structure in all slices of a stack. */
  readonly pixels: Readonly<Record<string, number>>
  /** Area inside each contour of a single plane. */
  readonly areas: Readonly<Record<string, number>>
  readonly disks: Disks | null
  readonly areaLength: number
  readonly length: number
}

/** By "image:frame", as quantities name the frames they are made of. */
export type Shapes = ReadonlyMap<string, Shape>

export const refOf = (image: string, frame: number): string => `${image}:${frame}`

/** By which a number is told from others of its name: the same may be had by several methods and in several views. */
export const quantityKey = ({ name, method, view }: Quantity): string => `${name}|${method}|${view}`

/** The shape in one frame; null where nothing was traced. */
export function shapeOf(cine: Cine, frame: number): Shape | null {
  const { info } = cine
  const plane = cine.traces?.current.planes[frame]?.[0]
  if (!plane || !cine.labels) return null
  if (info.slices > 1) return { ...EMPTY, pixels: pixelsOf(cine, frame) }
  const pixel: PixelSize = info.spacing_mm ?? PIXELS
  const areas = Object.fromEntries(
    Object.entries(plane.contours).map(([name, controls]) => [name, areaOf(curveThrough(controls), pixel)]),
  )
  const ring = scaled(curveThrough(plane.contours['lv'] ?? []), pixel)
  const axis = plane.axis && ring.length > 0 ? inUnit(plane.axis, pixel) : null
  if (!axis) return { ...EMPTY, areas, pixels: pixelsOf(cine, frame) }
  return {
    areas,
    pixels: {},
    disks: disksOf(ring, axis),
    areaLength: areaLengthVolume(ring, axis),
    length: axisLength(axis),
  }
}

const EMPTY: Shape = { pixels: {}, areas: {}, disks: null, areaLength: NaN, length: NaN }

function pixelsOf(cine: Cine, frame: number): Record<string, number> {
  const size = cine.info.height * cine.info.width * cine.info.slices
  const counts = new Uint32Array(256)
  const labels = cine.labels!
  for (let at = frame * size; at < (frame + 1) * size; at++) counts[labels.current[at]!]!++
  return Object.fromEntries(Object.entries(labels.scheme).map(([name, value]) => [name, counts[value]!]))
}

function inUnit(axis: LongAxis, pixel: PixelSize): LongAxis {
  const [apex, left, right] = scaled([axis.apex, ...axis.annulus], pixel) as [Point, Point, Point]
  return { annulus: [left, right], apex }
}

/**
 * The study's numbers as they follow from a change of shapes; only those that change.
 *
 * @param before - shapes that the study's numbers were made of.
 * @param now - shapes now.
 * @returns By `quantityKey`; the first of each name, which is the preferred one, by its name as well.
 */
export function provisional(study: Study, before: Shapes, now: Shapes): Record<string, number> {
  const found: Record<string, number> = {}
  const named = new Set<string>()
  for (const quantity of study.measures.quantities) {
    const value = followed(quantity, study, before, now)
    if (value !== null && value !== quantity.value) {
      found[quantityKey(quantity)] = value
      if (!named.has(quantity.name)) found[quantity.name] = value
    }
    named.add(quantity.name)
  }
  return found
}

/** What a number becomes; null where this page cannot tell. */
function followed(quantity: Quantity, study: Study, before: Shapes, now: Shapes): number | null {
  const change = (phase: Phase): number => {
    const refs = quantity.frames.filter((ref) => isAt(study.images, ref, phase))
    return sizeOf(quantity, refs, now) / sizeOf(quantity, refs, before)
  }
  const known = (value: number): number | null => (Number.isFinite(value) ? value : null)
  const { name, value } = quantity
  if (/_(ejection_fraction|fractional_area_change)$/.test(name)) {
    const [diastole, systole] = [change('ED'), change('ES')]
    return known(diastole === systole ? value : 100 - ((100 - value) * systole) / diastole)
  }
  if (name.endsWith('_stroke_volume')) {
    const [diastole, systole] = [change('ED'), change('ES')]
    const volume = (word: string): number =>
      study.measures.quantities.find(
        (each) =>
          each.method === quantity.method && each.view === quantity.view && each.name === name.replace('stroke', word),
      )?.value ?? NaN
    if (diastole === 1 && systole === 1) return value
    return known(value + volume('end_diastolic') * (diastole - 1) - volume('end_systolic') * (systole - 1))
  }
  if (!/_(volume|area|length|mass)$/.test(name)) return null
  const ratio = sizeOf(quantity, quantity.frames, now) / sizeOf(quantity, quantity.frames, before)
  return known(value * ratio)
}

function isAt(images: readonly ImageInfo[], ref: string, phase: Phase): boolean {
  const at = ref.lastIndexOf(':')
  return images.find(({ name }) => name === ref.slice(0, at))?.phases[phase] === Number(ref.slice(at + 1))
}

const SIDES: readonly [start: string, structure: string, contour: string][] = [
  ['left_ventricular_', 'LV', 'lv'],
  ['right_ventricular_', 'RV', 'rv'],
  ['left_atrial_', 'LA', 'la'],
]

/** The size that a quantity is made of, by its method, in any unit; NaN where it cannot be told here. */
function sizeOf(quantity: Quantity, refs: readonly string[], shapes: Shapes): number {
  const found = refs.map((ref) => shapes.get(ref)).filter((shape) => shape !== undefined)
  const [first, second] = found
  const side = SIDES.find(([start]) => quantity.name.startsWith(start))
  if (!first || !side || found.length !== refs.length) return NaN
  const [, structure, contour] = side
  const isCavity = structure === 'LV' && !quantity.name.endsWith('mass')
  switch (quantity.method) {
    case 'biplane method of disks':
      return isCavity && first.disks && second?.disks ? biplaneVolume(first.disks, second.disks) : NaN
    case 'method of disks, single plane':
      return isCavity && first.disks ? singlePlaneVolume(first.disks) : NaN
    case 'area-length, single plane':
      return isCavity ? first.areaLength : NaN
    case 'sum of slices':
      return first.pixels[quantity.name.endsWith('mass') ? 'MYO' : structure] ?? NaN
    case 'traced':
    case 'traced, one slice':
      if (!quantity.name.endsWith('length')) return first.areas[contour] ?? NaN
      return structure === 'LV' ? first.length : NaN
    default:
      return NaN
  }
}

/** Area of one contour in a plane: cm2 where the size of pixels is known, else pixels. */
export function contourArea(plane: Plane, contour: string, info: ImageInfo): { value: number; unit: 'cm2' | 'px' } {
  const ring = curveThrough(plane.contours[contour] ?? [])
  return info.spacing_mm
    ? { value: areaOf(ring, info.spacing_mm) / 100, unit: 'cm2' }
    : { value: areaOf(ring), unit: 'px' }
}

/** A shape with the frame that it was measured in. */
export interface Kept {
  readonly ref: string
  readonly shape: Shape
}

/** Shapes that the server's numbers stand on, and shapes of gestures that it has not answered yet. */
export class Ledger {
  private readonly before = new Map<string, Shape>()
  private readonly waiting = new Map<string, Shape>()

  /** Before anything is changed: measures what the server's numbers were made of, unless that is known. */
  begin(cines: Readonly<Record<string, Cine>>, study: Study): void {
    for (const ref of new Set(study.measures.quantities.flatMap(({ frames }) => frames))) {
      const shape = this.before.has(ref) ? null : shapeAt(cines, ref)
      if (shape) this.before.set(ref, shape)
    }
  }

  /** The numbers with one frame as it is now. */
  numbers(study: Study, cine: Cine, frame: number): Record<string, number> {
    const shape = shapeOf(cine, frame)
    const now = new Map([...this.before, ...this.waiting])
    if (shape) now.set(refOf(cine.info.name, frame), shape)
    return provisional(study, this.before, now)
  }

  /** A gesture is done: its shape counts until the server has answered it. */
  keep(cine: Cine, frame: number): Kept | null {
    const shape = shapeOf(cine, frame)
    const ref = refOf(cine.info.name, frame)
    if (!shape) return null
    this.waiting.set(ref, shape)
    return { ref, shape }
  }

  /** The server's numbers hold a gesture now; nothing waits any more if it was the last. */
  answered(kept: Kept | null, isLast: boolean): void {
    if (kept) this.before.set(kept.ref, kept.shape)
    if (isLast) this.forget()
  }

  forget(): void {
    this.before.clear()
    this.waiting.clear()
  }
}

function shapeAt(cines: Readonly<Record<string, Cine>>, ref: string): Shape | null {
  const at = ref.lastIndexOf(':')
  const cine = cines[ref.slice(0, at)]
  return cine ? shapeOf(cine, Number(ref.slice(at + 1))) : null
}
