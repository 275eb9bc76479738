/** Handles over a view: control points of the contour in hand, landmarks, the brush, and the numbers beside the hand. */

import Konva from 'konva'
import { curveThrough } from '../geometry/curve'
import type { Point } from '../geometry/point'
import { activeView, infoOf, planeOf } from '../store/exam'
import { page } from '../store/page'
import { colourOf } from '../viewer/lut'
import type { Viewport } from '../viewer/viewport'
import { contourArea } from './numbers'
import { edits } from './state'
import type { Hands } from './tools'

const HANDLE = 3.6
const LANDMARK = 6
const SHADE = 'rgba(0, 0, 0, 0.65)'
const LIGHT = '#f5f7f9'
const WITH_POINTS = new Set(['select', 'push'])
const WITH_BRUSH = new Set(['brush', 'eraser'])
const WITH_HANDLES = new Set([...WITH_POINTS, ...WITH_BRUSH, 'landmarks'])

export class Handles {
  private readonly layer = new Konva.Layer({ listening: false })
  private readonly line = new Konva.Line({ closed: true, strokeWidth: 2.2, lineJoin: 'round' })
  private readonly points: Konva.Circle[] = []
  private readonly marks: Konva.RegularPolygon[] = []
  private readonly ring = new Konva.Circle({ strokeWidth: 1.4, stroke: LIGHT, shadowColor: 'black', shadowBlur: 2 })
  private readonly text = new Konva.Text({
    fontFamily: 'system-ui, "DejaVu Sans", sans-serif',
    fontSize: 12,
    fontStyle: '600',
    fill: LIGHT,
    stroke: SHADE,
    strokeWidth: 3,
    fillAfterStrokeEnabled: true,
  })
  private isAsked = 0
  private isShown = false

  constructor(
    private readonly viewport: Viewport,
    private readonly hands: Hands,
  ) {
    this.layer.add(this.line, this.ring, this.text)
    this.draw()
  }

  close(): void {
    cancelAnimationFrame(this.isAsked)
    this.layer.destroy()
  }

  drawSoon(): void {
    if (this.isAsked) return
    this.isAsked = requestAnimationFrame(() => {
      this.isAsked = 0
      this.draw()
    })
  }

  private draw(): void {
    const { exam } = page.get()
    const isActive = exam !== null && exam.views[exam.active] !== undefined && this.viewport.index === exam.active
    const isShown = isActive && !exam.playing && exam.layers.contours && WITH_HANDLES.has(exam.tool)
    this.show(isShown)
    if (!isShown || !activeView(exam)) return
    const { image, slice } = this.viewport.view()
    const plane = planeOf(this.viewport.cine(), this.viewport.frame(), slice, 'current')
    const { contour } = edits.get()
    const controls = plane?.contours[contour] ?? []
    this.drawLine(controls, contour, exam.tool)
    this.drawPoints(WITH_POINTS.has(exam.tool) ? controls : [], contour)
    this.drawMarks(exam.tool === 'landmarks' && plane?.axis ? [...plane.axis.annulus, plane.axis.apex] : [])
    this.drawBrush(WITH_BRUSH.has(exam.tool))
    const info = infoOf(exam, image)
    this.drawText(
      plane && info && this.hands.isBusy && controls.length > 0 ? areaText(contourArea(plane, contour, info)) : '',
    )
    this.layer.batchDraw()
  }

  /** A canvas of its own lies over the picture only where there are handles, for each one costs time while a film plays. */
  private show(isShown: boolean): void {
    if (isShown === this.isShown) return
    this.isShown = isShown
    const stage = this.viewport.stage()
    if (this.layer.getStage() === null) stage.add(this.layer)
    this.layer.visible(isShown)
    stage.container().hidden = !isShown
  }

  private drawLine(controls: readonly Point[], contour: string, tool: string): void {
    this.line.visible(controls.length > 2 && (WITH_POINTS.has(tool) || WITH_BRUSH.has(tool)))
    this.line.stroke(colourOf(contour, 1))
    this.line.points(curveThrough(controls).flatMap((point) => this.at(point)))
  }

  private drawPoints(controls: readonly Point[], contour: string): void {
    while (this.points.length < controls.length) {
      const circle = new Konva.Circle({ name: 'control', radius: HANDLE, strokeWidth: 1.4, stroke: '#101418' })
      this.points.push(circle)
      this.layer.add(circle)
    }
    this.points.forEach((circle, index) => {
      const control = controls[index]
      circle.visible(control !== undefined)
      if (!control) return
      const [x, y] = this.at(control) as [number, number]
      const isNear = this.isUnderHand(x, y)
      circle.setAttrs({ x, y, fill: isNear ? LIGHT : colourOf(contour, 1), radius: isNear ? HANDLE * 1.5 : HANDLE })
    })
  }

  private drawMarks(marks: readonly Point[]): void {
    while (this.marks.length < marks.length) {
      const mark = new Konva.RegularPolygon({ sides: 4, radius: LANDMARK, strokeWidth: 1.4, stroke: '#101418' })
      this.marks.push(mark)
      this.layer.add(mark)
    }
    this.marks.forEach((mark, index) => {
      const place = marks[index]
      mark.visible(place !== undefined)
      if (!place) return
      const [x, y] = this.at(place) as [number, number]
      mark.position({ x, y })
      mark.fill(index === 2 ? '#ffd166' : LIGHT)
    })
  }

  private drawBrush(isBrush: boolean): void {
    const { hover } = this.hands
    this.ring.visible(isBrush && hover?.viewport === this.viewport)
    if (!this.ring.visible() || !hover) return
    const [x, y] = this.at(hover.at) as [number, number]
    this.ring.setAttrs({ x, y, radius: Math.max(edits.get().brush * this.viewport.scale(), 1) })
  }

  private drawText(words: string): void {
    const { hover } = this.hands
    this.text.visible(words !== '' && hover?.viewport === this.viewport)
    if (!hover || !this.text.visible()) return
    const [x, y] = this.at(hover.at) as [number, number]
    this.text.setAttrs({ x: x + 22, y: y - 34, text: words })
    this.text.moveToTop()
  }

  private isUnderHand(x: number, y: number): boolean {
    const { hover } = this.hands
    if (hover?.viewport !== this.viewport) return false
    const [left, top] = this.at(hover.at) as [number, number]
    return Math.hypot(x - left, y - top) < 9
  }

  private at(point: Point): number[] {
    const { x, y } = this.viewport.toScreen([point[0], point[1]])
    return [x, y]
  }
}

const areaText = ({ value, unit }: ReturnType<typeof contourArea>): string =>
  unit === 'cm2' ? `${value.toFixed(1)} cm²` : `${Math.round(value)} px`
