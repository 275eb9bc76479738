/** One view in the page: picture, labels and what lies over them, drawn from the state and nothing else. */

import Konva from 'konva'
import { planeSpan, frameOf } from '../store/exam'
import { page } from '../store/page'
import type { Cine, ExamState, View } from '../store/state'
import type { Point } from '../geometry/point'
import { greyTable, labelTable, paintLabels, paintPlane } from './lut'
import { drawOverlay } from './overlay'
import { toImage, toScreen, transformOf, type Size, type Transform } from './transform'
import type { Viewport } from './viewport'

/** A canvas that has the image's own grid and is scaled by the style. */
class Raster {
  readonly canvas = document.createElement('canvas')
  private readonly brush = this.canvas.getContext('2d')!
  private picture = this.brush.createImageData(1, 1)
  words = new Uint32Array(1)

  constructor(className: string) {
    this.canvas.className = className
    this.canvas.setAttribute('aria-hidden', 'true')
  }

  resize(width: number, height: number): boolean {
    if (this.canvas.width === width && this.canvas.height === height) return false
    this.canvas.width = width
    this.canvas.height = height
    this.picture = this.brush.createImageData(width, height)
    this.words = new Uint32Array(this.picture.data.buffer)
    return true
  }

  show(): void {
    this.brush.putImageData(this.picture, 0, 0)
  }

  place({ across, down, left, top }: Transform): void {
    this.canvas.style.transform = `matrix(${across}, 0, 0, ${down}, ${left}, ${top})`
  }
}

export class Pane implements Viewport {
  private readonly picture = new Raster('picture')
  private readonly labels = new Raster('labels')
  private readonly over = document.createElement('canvas')
  private readonly brush = this.over.getContext('2d')!
  private readonly handles = document.createElement('div')
  private konva: Konva.Stage | null = null
  private size: Size = { width: 1, height: 1 }
  private transform: Transform = { across: 1, down: 1, left: 0, top: 0 }
  private drawn: Record<string, unknown> = {}
  private readonly watcher: ResizeObserver
  private table: Uint32Array = new Uint32Array(256)

  constructor(
    readonly element: HTMLElement,
    readonly index: number,
  ) {
    this.over.className = 'over'
    this.over.setAttribute('aria-hidden', 'true')
    this.handles.className = 'handles'
    element.prepend(this.picture.canvas, this.labels.canvas, this.over, this.handles)
    this.watcher = new ResizeObserver(() => this.measure())
    this.watcher.observe(element)
    this.measure()
  }

  close(): void {
    this.watcher.disconnect()
    this.konva?.destroy()
    for (const part of [this.picture.canvas, this.labels.canvas, this.over, this.handles]) part.remove()
  }

  private exam(): ExamState {
    return page.get().exam!
  }

  view(): View {
    const { views } = this.exam()
    return views[this.index] ?? views[0]!
  }

  cine(): Cine {
    return this.exam().cines[this.view().image]!
  }

  frame(): number {
    return frameOf(this.exam(), this.view())
  }

  sized(): Size {
    return this.size
  }

  stage(): Konva.Stage {
    this.konva ??= new Konva.Stage({ container: this.handles, ...this.size })
    return this.konva
  }

  toScreen(point: Point): { x: number; y: number } {
    return toScreen(this.transform, point)
  }

  toImage(at: { x: number; y: number }): Point {
    return toImage(this.transform, at)
  }

  /** Where a pointer is in the image. */
  pointed(event: { clientX: number; clientY: number }): Point {
    return this.toImage(this.inside(event))
  }

  inside(event: { clientX: number; clientY: number }): { x: number; y: number } {
    const box = this.element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  scale(): number {
    return this.transform.across
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.element
    if (!width || !height) return
    this.size = { width, height }
    const ratio = window.devicePixelRatio || 1
    this.over.width = Math.round(width * ratio)
    this.over.height = Math.round(height * ratio)
    this.over.style.width = `${width}px`
    this.over.style.height = `${height}px`
    this.brush.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.konva?.size(this.size)
    this.drawn = {}
    this.draw()
  }

  private isNew(part: string, ...facts: readonly unknown[]): boolean {
    const before = this.drawn[part] as readonly unknown[] | undefined
    if (before?.length === facts.length && facts.every((fact, index) => Object.is(fact, before[index]))) return false
    this.drawn[part] = facts
    return true
  }

  /** Draws what changed since the last time. */
  draw(): void {
    const { exam } = page.get()
    const view = exam?.views[this.index]
    const cine = view && exam.cines[view.image]
    if (!exam || !cine) return
    const frame = frameOf(exam, view)
    this.transform = transformOf(cine.info, view, this.size)
    const { across, down, left, top } = this.transform
    if (this.isNew('place', across, down, left, top, cine.info.width, cine.info.height)) {
      this.picture.place(this.transform)
      this.labels.place(this.transform)
    }
    this.drawPicture(exam, cine, view, frame)
    this.drawLabels(exam, cine, view, frame)
    const over = [view, frame, cine.revision, cine.info, exam.layers, exam.distances, across, down, left, top]
    if (this.isNew('over', ...over)) drawOverlay(this.brush, this.transform, this.size, exam, cine, view)
  }

  private drawPicture(exam: ExamState, cine: Cine, view: View, frame: number): void {
    const window = exam.window[view.image] ?? cine.window
    const isOther = this.picture.resize(cine.info.width, cine.info.height)
    if (this.isNew('table', cine.pixels, window)) this.table = greyTable(cine.pixels, window)
    if (!this.isNew('picture', cine.pixels, this.table, frame, view.slice) && !isOther) return
    const [start] = planeSpan(cine.info, frame, view.slice)
    paintPlane(this.picture.words, cine.pixels, start * cine.pixels.channels, this.table)
    this.picture.show()
  }

  private drawLabels(exam: ExamState, cine: Cine, view: View, frame: number): void {
    const isShown = exam.layers.labels && cine.labels !== null
    this.labels.canvas.hidden = !isShown
    if (!isShown || !cine.labels) return
    const isOther = this.labels.resize(cine.info.width, cine.info.height)
    if (!this.isNew('labels', cine.labels.current, cine.revision, frame, view.slice) && !isOther) return
    const [start] = planeSpan(cine.info, frame, view.slice)
    paintLabels(this.labels.words, cine.labels.current, start, labelTable(cine.labels.scheme))
    this.labels.show()
  }
}

/** All views that are in the page, drawn together. */
export const panes = new Set<Pane>()

let isAsked = 0

/** Draws before the next picture of the screen; at once where one is just being made. */
export function drawSoon(): void {
  if (isAsked) return
  isAsked = requestAnimationFrame(() => {
    isAsked = 0
    for (const pane of panes) pane.draw()
  })
}
