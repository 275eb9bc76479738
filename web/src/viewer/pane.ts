/** One view in the page: picture, labels and what lies over them, drawn from the state and nothing else. */

import Konva from 'konva'
import { planeSpan, frameOf } from '../store/exam'
import { page } from '../store/page'
import type { Cine, ExamState, View } from '../store/state'
import type { Point } from '../geometry/point'
import type { Drawn } from './drawing'
import { greyTable, labelTable, paintPlane, tintLabels } from './lut'
import { drawOverlay } from './overlay'
import { toImage, toScreen, transformOf, type Size, type Transform } from './transform'
import type { Viewport } from './viewport'

/** One plane with its labels, on the image's own grid. */
class Raster {
  readonly canvas = document.createElement('canvas')
  private readonly brush = this.canvas.getContext('2d', { alpha: false })!
  private picture = this.brush.createImageData(1, 1)
  words = new Uint32Array(1)

  resize(width: number, height: number): void {
    if (this.canvas.width === width && this.canvas.height === height) return
    this.canvas.width = width
    this.canvas.height = height
    this.picture = this.brush.createImageData(width, height)
    this.words = new Uint32Array(this.picture.data.buffer)
  }

  show(): void {
    this.brush.putImageData(this.picture, 0, 0)
  }
}

/** Beyond the image. */
const GROUND = '#000'
const ACTIVE = '#3f8c98'

/**
 * One canvas for all that moves: canvases that lie upon each other are laid together anew for each picture of the
 * screen, which without a graphics card takes longer than drawing them.
 */
export class Pane implements Drawn, Viewport {
  private readonly canvas = document.createElement('canvas')
  private readonly brush = this.canvas.getContext('2d', { alpha: false })!
  private readonly raster = new Raster()
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
    this.canvas.className = 'picture'
    this.canvas.setAttribute('aria-hidden', 'true')
    this.handles.className = 'handles'
    element.prepend(this.canvas, this.handles)
    this.watcher = new ResizeObserver(() => this.measure())
    this.watcher.observe(element)
    this.measure()
  }

  close(): void {
    this.watcher.disconnect()
    this.konva?.destroy()
    this.canvas.remove()
    this.handles.remove()
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
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round(height * ratio)
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
    if (this.isNew('place', cine.info, view.zoom, view.pan, this.size)) this.transform = transformOf(cine.info, view, this.size)
    const isPainted = this.paint(exam, cine, view, frame)
    const isActive = exam.active === this.index
    const over = [view, frame, cine.revision, cine.info, exam.layers, exam.segments, exam.study.version, exam.distances, isActive, this.transform]
    if (!this.isNew('over', ...over) && !isPainted) return
    this.lay(cine)
    drawOverlay(this.brush, this.transform, this.size, exam, cine, view)
    if (isActive) this.frameActive()
  }

  /** The plane with its labels, on the grid of the image; whether it is another than before. */
  private paint(exam: ExamState, cine: Cine, view: View, frame: number): boolean {
    const window = exam.window[view.image] ?? cine.window
    if (this.isNew('table', cine.pixels, window)) this.table = greyTable(cine.pixels, window)
    const labels = exam.layers.labels ? cine.labels : null
    if (!this.isNew('plane', cine.pixels, this.table, frame, view.slice, labels, cine.revision)) return false
    const [start] = planeSpan(cine.info, frame, view.slice)
    this.raster.resize(cine.info.width, cine.info.height)
    paintPlane(this.raster.words, cine.pixels, start * cine.pixels.channels, this.table)
    if (labels) tintLabels(this.raster.words, labels.current, start, labelTable(labels.scheme))
    this.raster.show()
    return true
  }

  private lay({ info }: Cine): void {
    const { across, down, left, top } = this.transform
    this.brush.fillStyle = GROUND
    this.brush.fillRect(0, 0, this.size.width, this.size.height)
    this.brush.drawImage(this.raster.canvas, left, top, info.width * across, info.height * down)
  }

  private frameActive(): void {
    this.brush.strokeStyle = ACTIVE
    this.brush.lineWidth = 1
    this.brush.strokeRect(0.5, 0.5, this.size.width - 1, this.size.height - 1)
  }
}
