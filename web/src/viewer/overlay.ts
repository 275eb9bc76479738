/** Draws what lies over the picture: contours, axis, disks, segments, distances, the ruler. */

import type { Plane, SegmentOutline } from '../api/types'
import { curveThrough } from '../geometry/curve'
import type { Point } from '../geometry/point'
import type { Cine, Distance, ExamState, View } from '../store/state'
import { frameOf, planeOf, segmentsOf } from '../store/exam'
import { distanceMm } from './distance'
import { colourOf } from './lut'
import { toScreen, type Size, type Transform } from './transform'

type Brush = CanvasRenderingContext2D

const SEGMENT = '#ffd9a8'
/** Pixels of the screen that a number needs. */
const ROOM = 24

const curves = new WeakMap<readonly Point[], { transform: Transform; path: Path2D }>()

/** A closed curve on the screen, worked out once as long as the view stays where it is: films come round again. */
function curveOn(transform: Transform, points: readonly Point[]): Path2D {
  let known = curves.get(points)
  if (known?.transform !== transform) {
    known = { transform, path: pathOf(transform, curveThrough(points), true) }
    curves.set(points, known)
  }
  return known.path
}

function pathOf(transform: Transform, points: readonly Point[], isClosed: boolean): Path2D {
  const path = new Path2D()
  for (const point of points) {
    const { x, y } = toScreen(transform, point)
    path.lineTo(x, y)
  }
  if (isClosed) path.closePath()
  return path
}

function line(brush: Brush, transform: Transform, from: Point, to: Point): void {
  brush.stroke(pathOf(transform, [from, to], false))
}

function drawContours(brush: Brush, transform: Transform, plane: Plane, isDashed: boolean): void {
  brush.setLineDash(isDashed ? [5, 4] : [])
  brush.lineWidth = isDashed ? 1.1 : 1.6
  for (const [name, points] of Object.entries(plane.contours)) {
    brush.strokeStyle = colourOf(name, isDashed ? 0.8 : 1)
    brush.stroke(curveOn(transform, points))
  }
  brush.setLineDash([])
}

function drawAxis(brush: Brush, transform: Transform, { axis }: Plane): void {
  if (!axis) return
  const [first, second] = axis.annulus
  brush.strokeStyle = '#f5f7f9'
  brush.fillStyle = '#f5f7f9'
  brush.lineWidth = 1.1
  brush.setLineDash([2, 3])
  line(brush, transform, axis.apex, [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2])
  brush.setLineDash([])
  line(brush, transform, first, second)
  for (const point of [axis.apex, first, second]) {
    const { x, y } = toScreen(transform, point)
    brush.beginPath()
    brush.arc(x, y, 2.6, 0, 2 * Math.PI)
    brush.fill()
  }
}

function drawDisks(brush: Brush, transform: Transform, { disks }: Plane): void {
  brush.strokeStyle = colourOf('lv', 0.55)
  brush.lineWidth = 1
  for (const [from, to] of disks ?? []) line(brush, transform, from, to)
}

/** Rings, and in each that has room for it the number. */
function drawSegments(brush: Brush, transform: Transform, segments: readonly SegmentOutline[]): void {
  for (const { number, points } of segments) {
    brush.strokeStyle = SEGMENT
    brush.lineWidth = 1.2
    brush.stroke(pathOf(transform, points, true))
    if (number === null) continue
    const places = points.map((point) => toScreen(transform, point))
    const middle = (side: 'x' | 'y') => places.reduce((sum, place) => sum + place[side], 0) / places.length
    const extent = (side: 'x' | 'y') => Math.max(...places.map((place) => place[side])) - Math.min(...places.map((place) => place[side]))
    if (Math.max(extent('x'), extent('y')) < ROOM) continue
    brush.textAlign = 'center'
    letter(brush, String(number), middle('x'), middle('y') + 4, SEGMENT)
    brush.textAlign = 'start'
  }
}

function drawDistance(brush: Brush, transform: Transform, cine: Cine, distance: Distance): void {
  const from = toScreen(transform, distance.from)
  const to = toScreen(transform, distance.to)
  brush.strokeStyle = '#ffe08a'
  brush.lineWidth = 1.4
  line(brush, transform, distance.from, distance.to)
  const long = Math.hypot(to.x - from.x, to.y - from.y) || 1
  const [across, down] = [(-(to.y - from.y) / long) * 5, ((to.x - from.x) / long) * 5]
  for (const end of [from, to]) {
    brush.beginPath()
    brush.moveTo(end.x - across, end.y - down)
    brush.lineTo(end.x + across, end.y + down)
    brush.stroke()
  }
  const found = distanceMm(cine.info, distance.from, distance.to)
  if (typeof found === 'number') letter(brush, `${found.toFixed(1)} mm`, to.x + 8, to.y - 6, '#ffe08a')
}

function letter(brush: Brush, text: string, x: number, y: number, colour: string): void {
  brush.font = '600 12px system-ui, "DejaVu Sans", sans-serif'
  brush.lineWidth = 3
  brush.strokeStyle = 'rgba(0, 0, 0, 0.75)'
  brush.strokeText(text, x, y)
  brush.fillStyle = colour
  brush.fillText(text, x, y)
}

/** Centimetres down the right border, as scanners draw them. */
function drawRuler(brush: Brush, transform: Transform, cine: Cine, size: Size): void {
  const high = cine.info.spacing_mm?.[0]
  if (!high) return
  const centimetre = (10 / high) * transform.down
  if (centimetre < 4) return
  const count = Math.min(10, Math.floor((size.height * 0.6) / centimetre))
  if (count < 1) return
  const top = Math.round((size.height - count * centimetre) / 2)
  const x = Math.round(size.width - 9) + 0.5
  brush.strokeStyle = 'rgba(228, 233, 238, 0.55)'
  brush.lineWidth = 1
  brush.beginPath()
  for (let each = 0; each <= count; each++) {
    const y = Math.round(top + each * centimetre) + 0.5
    brush.moveTo(x, y)
    brush.lineTo(x - (each % 5 === 0 ? 7 : 4), y)
  }
  brush.stroke()
}

/** Everything over one view, in CSS pixels. */
export function drawOverlay(brush: Brush, transform: Transform, size: Size, exam: ExamState, cine: Cine, view: View): void {
  brush.lineJoin = 'round'
  const frame = frameOf(exam, view)
  const { layers } = exam
  const plane = planeOf(cine, frame, view.slice, 'current')
  const automatic = planeOf(cine, frame, view.slice, 'automatic')
  if (plane) {
    if (layers.disks) drawDisks(brush, transform, plane)
    if (layers.automatic && plane.edited && automatic) drawContours(brush, transform, automatic, true)
    if (layers.contours) drawContours(brush, transform, plane, false)
    if (layers.axis) drawAxis(brush, transform, plane)
  }
  if (layers.segments) drawSegments(brush, transform, segmentsOf(exam, view.image, frame, view.slice))
  if (size.height > 150) drawRuler(brush, transform, cine, size)
  for (const distance of exam.distances) {
    if (distance.image === view.image && distance.slice === view.slice) drawDistance(brush, transform, cine, distance)
  }
}
