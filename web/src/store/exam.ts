/** What follows from the state of an exam. */

import type { ImageInfo, Phase, Plane, SegmentOutline } from '../api/types'
import type { Cine, ExamState, LayerName, View } from './state'

export const cineOf = (exam: ExamState, view: View): Cine | undefined => exam.cines[view.image]

export const infoOf = (exam: ExamState, image: string): ImageInfo | undefined =>
  exam.study.images.find((each) => each.name === image)

/** The phase that a view is held at; none where its image has no such frame. */
export const pinOf = (exam: ExamState, view: View): Phase | null =>
  view.pin && infoOf(exam, view.image)?.phases[view.pin] !== undefined ? view.pin : null

/** The frame that a view shows: that of its phase, or that of the film. */
export function frameOf(exam: ExamState, view: View): number {
  const pin = pinOf(exam, view)
  return (pin && infoOf(exam, view.image)?.phases[pin]) ?? exam.frame[view.image] ?? 0
}

/** The phase that a still shows: what tells it from others of its view. */
export function phaseOfStill({ frames, phases }: ImageInfo): Phase | null {
  const [first, ...more] = Object.keys(phases) as Phase[]
  return frames === 1 && more.length === 0 ? (first ?? null) : null
}

/** The image that shows a phase beside an image: itself where it has it, else a still of the same view that does. */
export function imageOfPhase(images: readonly ImageInfo[], name: string, phase: Phase): string {
  const own = images.find((each) => each.name === name)
  if (!own || own.phases[phase] !== undefined) return name
  return images.find(({ view, phases }) => view === own.view && phases[phase] !== undefined)?.name ?? name
}

export const activeView = (exam: ExamState): View | undefined => exam.views[exam.active]

export function planeOf(cine: Cine, frame: number, slice: number, of: 'current' | 'automatic'): Plane | undefined {
  return cine.traces?.[of].planes[frame]?.[slice]
}

/** Segments of the wall in a plane; none of another version than the one that is shown. */
export function segmentsOf({ segments, study }: ExamState, image: string, frame: number, slice: number): readonly SegmentOutline[] {
  return (segments?.version === study.version && segments.images[image]?.[frame]?.[slice]) || []
}

/** Views whose wall has segments. */
const DIVIDED: ReadonlySet<string> = new Set(['A4C', 'A2C', 'A3C', '4CH', '2CH', '3CH', 'SAX'])

const layersSeen = new WeakMap<object, ReadonlySet<LayerName>>()

/** Layers that an image has something for. */
export function layersOf(cine: Cine): ReadonlySet<LayerName> {
  let seen = layersSeen.get(cine)
  if (!seen) {
    const planes = cine.traces?.current.planes.flat() ?? []
    const has: Readonly<Record<LayerName, boolean>> = {
      labels: cine.labels !== null,
      contours: planes.some(({ contours }) => Object.keys(contours).length > 0),
      automatic: true,
      axis: planes.some(({ axis }) => axis !== null),
      disks: planes.some(({ disks }) => disks !== null),
      segments: DIVIDED.has(cine.info.view) && planes.some(({ contours }) => 'lv' in contours),
    }
    seen = new Set((Object.keys(has) as LayerName[]).filter((name) => has[name]))
    layersSeen.set(cine, seen)
  }
  return seen
}

/** Where a plane of labels begins, and how many pixels it has. */
export function planeSpan(info: ImageInfo, frame: number, slice: number): [start: number, length: number] {
  const length = info.height * info.width
  return [(frame * info.slices + slice) * length, length]
}
