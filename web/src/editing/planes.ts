/** Planes of the open exam as they are edited: what stands in the state, and what is put there before the server knows. */

import type { Plane, Point as SentPoint } from '../api/types'
import { curveThrough } from '../geometry/curve'
import { boxAround, fillBox, type Mask } from '../geometry/fill'
import type { Point } from '../geometry/point'
import { planeOf, planeSpan } from '../store/exam'
import { page, setExam } from '../store/page'
import type { Cine } from '../store/state'

/** Which plane of the exam. */
export interface Place {
  readonly image: string
  readonly frame: number
  readonly slice: number
}

/** What a plane holds: labels are a copy. */
export interface Content {
  readonly labels: Uint8Array
  readonly plane: Plane
}

export const keyOf = ({ image, frame, slice }: Place): string => `${image}\n${frame}\n${slice}`

export const sent = (points: readonly Point[]): SentPoint[] => points.map(([row, column]) => [row, column])

/** The content of a plane now; null where its image has no labels. */
export function contentOf(cine: Cine, place: Place): Content | null {
  const plane = planeOf(cine, place.frame, place.slice, 'current')
  if (!plane || !cine.labels) return null
  const [start, length] = planeSpan(cine.info, place.frame, place.slice)
  return { labels: Uint8Array.from(cine.labels.current.subarray(start, start + length)), plane }
}

/** Puts contents into planes of the exam that is open, all at once. */
export function putContents(contents: readonly (readonly [Place, Content])[]): void {
  setExam((exam) => {
    const cines = { ...exam.cines }
    for (const [place, content] of contents) {
      const cine = cines[place.image]
      if (!cine?.labels || !cine.traces) continue
      const [start] = planeSpan(cine.info, place.frame, place.slice)
      cine.labels.current.set(content.labels, start)
      const slices = cine.traces.current.planes[place.frame]
      if (slices) slices[place.slice] = content.plane
      cines[place.image] = { ...cine, revision: cine.revision + 1 }
    }
    return { cines }
  })
}

export function cineAt(place: Place): Cine | undefined {
  return page.get().exam?.cines[place.image]
}

/** A structure of each contour but the epicardium, which goes round two. */
const STRUCTURES: Readonly<Record<string, string>> = { lv: 'LV', la: 'LA', rv: 'RV', ra: 'RA' }

/** The value that what a contour encloses is labelled with; of the epicardium that of the myocardium. */
export function valueOf(scheme: Readonly<Record<string, number>>, contour: string): number | undefined {
  return scheme[contour === 'epi' ? 'MYO' : (STRUCTURES[contour] ?? contour)]
}

/**
 * A plane with contours drawn anew, as it is shown until the server has drawn it.
 *
 * Pixels change only where a contour moved: a curve of few points follows the labels it came from but nearly. Inside the
 * epicardium and outside the cavity is myocardium; other structures take their place from nothing else.
 */
export function redrawn(before: Content, contours: Readonly<Record<string, readonly Point[]>>, cine: Cine): Content {
  const scheme = cine.labels?.scheme ?? {}
  const drawings = Object.entries(contours).map(([name, controls]) => ({
    name,
    old: curveThrough(before.plane.contours[name] ?? []),
    fresh: curveThrough(controls),
  }))
  const box = boxAround(
    drawings.flatMap(({ old, fresh }) => [...old, ...fresh]),
    cine.info.height,
    cine.info.width,
  )
  const masks = drawings.map(({ name, old, fresh }) => ({ name, old: fillBox(old, box), fresh: fillBox(fresh, box) }))
  const labels = before.labels.slice()
  const decide = deciderOf(scheme, masks)
  for (let row = 0, within = 0; row < box.height; row++) {
    let at = (row + box.top) * cine.info.width + box.left
    for (let column = 0; column < box.width; column++, at++, within++) labels[at] = decide(labels[at]!, within)
  }
  const drawn = Object.fromEntries(Object.entries(contours).map(([name, points]) => [name, sent(points)]))
  return { labels, plane: { ...before.plane, contours: { ...before.plane.contours, ...drawn }, edited: true } }
}

interface Drawn {
  readonly name: string
  readonly old: Uint8Array
  readonly fresh: Uint8Array
}

/** What a pixel becomes, from its label and its number in the box. */
function deciderOf(
  scheme: Readonly<Record<string, number>>,
  masks: readonly Drawn[],
): (label: number, at: number) => number {
  const [cavity, wall] = [scheme['LV'] ?? -1, scheme['MYO'] ?? -1]
  const heart = (name: string): Drawn | undefined => masks.find((mask) => mask.name === name)
  const [inner, outer] = [heart('lv'), heart('epi')]
  const others = masks
    .filter(({ name }) => name !== 'lv' && name !== 'epi')
    .map((mask) => ({ mask, value: valueOf(scheme, mask.name) ?? -1 }))
  const holds = (mask: Drawn | undefined, at: number, was: boolean): boolean =>
    mask === undefined || mask.old[at] === mask.fresh[at] ? was : mask.fresh[at] === 1
  return (label, at) => {
    let found = label
    if (inner || outer) {
      const isHeart = label === cavity || label === wall
      if (holds(inner, at, label === cavity)) found = cavity
      else if (holds(outer, at, isHeart) && wall >= 0) found = wall
      else if (isHeart) found = 0
    }
    for (const { mask, value } of others) {
      const is = holds(mask, at, found === value)
      if (is && found === 0) found = value
      else if (!is && found === value) found = 0
    }
    return found
  }
}

/** What a contour goes round in labels. */
export function enclosed(labels: Uint8Array, scheme: Readonly<Record<string, number>>, contour: string): Uint8Array {
  const value = valueOf(scheme, contour)
  const cavity = contour === 'epi' ? scheme['LV'] : value
  return labels.map((label) => (label === value || label === cavity ? 1 : 0))
}

export const maskOf = (cine: Cine, pixels: Uint8Array): Mask => ({
  height: cine.info.height,
  width: cine.info.width,
  pixels,
})
