/** What one hand does from down to up: each drag changes the plane it began on and ends in a gesture. */

import type { Gesture } from '../api/types'
import { paintStroke } from '../geometry/brush'
import { controlAt, placeOnCurve, withDragged } from '../geometry/controls'
import { curveThrough } from '../geometry/curve'
import { disksOf, type LongAxis, withFarthestApex } from '../geometry/disks'
import { controlsOf, outlineOf } from '../geometry/outline'
import { axisAfter, held } from '../geometry/partners'
import { between, distance, type Point } from '../geometry/point'
import { grip, pushed, respread } from '../geometry/push'
import type { Cine } from '../store/state'
import { inkOf } from './ink'
import { type Content, enclosed, maskOf, type Place, redrawn, sent } from './planes'
import { planeGesture } from './exchange'

/** A gesture on its way: what the plane holds while it lasts, and what is sent at its end. */
export interface Drag {
  /** Only changes the plane where it differs. */
  move(at: Point, isErasing: boolean): Content
  /** The gesture; null if nothing changed. */
  finish(): Gesture | Promise<Gesture> | null
}

type Axis = NonNullable<Content['plane']['axis']>

/** What a drag begins on. */
export interface Ground {
  readonly place: Place
  readonly cine: Cine
  readonly before: Content
  readonly contour: string
}

export const controlsIn = (ground: Ground): readonly Point[] => ground.before.plane.contours[ground.contour] ?? []

/** The plane with one contour as the hand asks for it: partner, labels, axis and disks follow. */
export function withContour({ before, cine, contour }: Ground, wanted: readonly Point[]): Content {
  const inside = wanted.map((point) => withinImage(point, cine))
  const { contours, axis } = before.plane
  const partner = contour === 'lv' ? 'epi' : contour === 'epi' ? 'lv' : null
  const controls = contours[contour] ?? []
  if (!partner || !contours[partner]) return measured(redrawn(before, { [contour]: inside }, cine), axis, cine)
  const pair = held({ edited: controls, partner: contours[partner] }, inside, axis, contour === 'lv')
  const isCarried = pair.partner.some((point, index) => point !== contours[partner]![index])
  const drawn = redrawn(before, { [contour]: pair.edited, ...(isCarried ? { [partner]: pair.partner } : {}) }, cine)
  const isCavity = contour === 'lv' || isCarried
  const cavity = drawn.plane.contours['lv'] ?? []
  return measured(drawn, isCavity && axis ? followed(axis, contours['lv'] ?? [], cavity) : axis, cine)
}

/** The long axis after the cavity changed: what a person placed stays where it is. */
function followed(axis: Axis, before: readonly Point[], after: readonly Point[]): LongAxis {
  const { annulus, apex } = axisAfter(axis, before, after)
  const isPlaced = (name: 'apex' | 'annulus'): boolean => axis.placed?.includes(name) ?? false
  return { annulus: isPlaced('annulus') ? axis.annulus : annulus, apex: isPlaced('apex') ? axis.apex : apex }
}

/** The plane with its long axis, and the disks across it. */
function measured(content: Content, axis: LongAxis | null, cine: Cine): Content {
  if (!axis) return content
  const ring = curveThrough(content.plane.contours['lv'] ?? [])
  const isSquare = !cine.info.spacing_mm || cine.info.spacing_mm[0] === cine.info.spacing_mm[1]
  // Disks stand upright on the axis in millimetres: where pixels are not square they are left to the server.
  const disks = isSquare ? disksOf(ring, axis) : null
  const ends = disks?.ends.map(([from, to]) => sent([from, to]) as [[number, number], [number, number]]) ?? null
  const [left, right, apex] = sent([...axis.annulus, axis.apex]) as [
    [number, number],
    [number, number],
    [number, number],
  ]
  const former = content.plane.axis
  return { ...content, plane: { ...content.plane, axis: { ...former, annulus: [left, right], apex }, disks: ends } }
}

const withinImage = ([row, column]: Point, { info }: Cine): Point => [
  Math.min(Math.max(row, -0.5), info.height - 0.5),
  Math.min(Math.max(column, -0.5), info.width - 0.5),
]

/** A contour drawn anew from where the hand is. */
class ContourDrag implements Drag {
  private shown: Content

  constructor(
    private readonly ground: Ground,
    private readonly change: (at: Point) => readonly Point[],
    private readonly last: (controls: readonly Point[]) => readonly Point[] = (controls) => controls,
  ) {
    this.shown = ground.before
  }

  move(at: Point): Content {
    this.shown = withContour(this.ground, this.change(at))
    return this.shown
  }

  finish(): Gesture | null {
    const { place, contour } = this.ground
    const controls = this.shown.plane.contours[contour] ?? []
    const former = controlsIn(this.ground)
    if (controls.every((point, index) => former[index] && distance(point, former[index]) < 1e-6)) return null
    return { kind: 'contour', ...place, contour, points: sent(this.last(controls)) }
  }
}

/** One control point follows the hand; null if none is within reach of it. */
export function pointDrag(ground: Ground, at: Point, reach: number): Drag | null {
  const controls = controlsIn(ground)
  const index = controlAt(controls, at, reach)
  if (index === null) return null
  // From where it was touched, not from its middle: nothing jumps when the hand comes down.
  return new ContourDrag(ground, (to) => withDragged(controls, index, between(at, to)))
}

/** The curve follows the hand with its neighbourhood; null if it is not within reach. */
export function pushDrag(ground: Ground, at: Point, reach: number, width: number): Drag | null {
  const controls = controlsIn(ground)
  if (controls.length === 0 || placeOnCurve(controls, at).distance > reach) return null
  const held = grip(controls, at, width)
  return new ContourDrag(
    ground,
    (to) => pushed(held, between(at, to)),
    (now) => respread(held, now),
  )
}

/** Annulus and apex: which of the three the hand is on. */
export function landmarkDrag(ground: Ground, at: Point, reach: number): Drag | null {
  const { axis } = ground.before.plane
  if (!axis) return null
  const marks: readonly Point[] = [...axis.annulus, axis.apex]
  const index = controlAt(marks, at, reach)
  if (index === null) return null
  let shown = ground.before
  const isApex = index === 2
  const isPlaced = (name: 'apex' | 'annulus'): boolean => axis.placed?.includes(name) ?? false
  return {
    move(to) {
      const way = between(at, to)
      const fresh = marks.map((mark, number) =>
        number === index ? withinImage([mark[0] + way[0], mark[1] + way[1]], ground.cine) : mark,
      ) as [Point, Point, Point]
      const ring = curveThrough(ground.before.plane.contours['lv'] ?? [])
      const annulus = [fresh[0], fresh[1]] as const
      shown = measured(
        ground.before,
        isApex ? { annulus, apex: fresh[2] } : withFarthestApex(annulus, ring),
        ground.cine,
      )
      return shown
    },
    finish() {
      const now = shown.plane.axis
      if (shown === ground.before || !now) return null
      const { image, frame } = ground.place
      // What nobody placed stays to be found in the labels.
      const apex = isApex || isPlaced('apex') ? now.apex : null
      const annulus = !isApex || isPlaced('annulus') ? now.annulus : null
      return { kind: 'landmarks', image, frame, apex, annulus }
    },
  }
}

/** Brush and eraser on the labels of the contour that is edited. */
export function brushDrag(ground: Ground, radius: number, isEraser: boolean): Drag {
  const labels = ground.before.labels.slice()
  const plane = maskOf(ground.cine, labels)
  const ink = inkOf(ground.before.plane, ground.cine.labels?.scheme ?? {}, ground.contour)
  let last: Point | null = null
  let changed = 0
  return {
    move(at, isErasing) {
      changed += paintStroke(plane, last ?? at, at, radius, isErasing !== isEraser ? ink.erase : ink.paint)
      last = at
      return { labels, plane: outlined(ground, labels) }
    },
    finish: () => (changed > 0 ? planeGesture(ground.place, labels) : null),
  }
}

/** The plane with its contours along painted labels. */
function outlined({ before, cine, contour }: Ground, labels: Uint8Array): Content['plane'] {
  const scheme = cine.labels?.scheme ?? {}
  const contours = { ...before.plane.contours }
  const names = contour === 'lv' || contour === 'epi' ? ['lv', 'epi'] : [contour]
  for (const name of names) {
    const controls = controlsOf(outlineOf(maskOf(cine, enclosed(labels, scheme, name))))
    if (controls.length > 0 && (name === contour || contours[name])) contours[name] = sent(controls)
  }
  const { axis } = before.plane
  const isFound = contour === 'lv' && !axis?.placed?.includes('apex')
  const fresh = axis && isFound ? withFarthestApex(axis.annulus, curveThrough(contours['lv'] ?? [])) : axis
  const content = { labels, plane: { ...before.plane, contours, edited: true } }
  return measured(content, fresh, cine).plane
}
