/** One place of the grid, as tools see it. */

import type Konva from 'konva'
import type { Point } from '../api/types'
import type { Cine, View } from '../store/state'

export interface Viewport {
  /** Its number in `exam.views`. */
  readonly index: number
  /** Over everything else, in CSS pixels of the view, made when it is first asked for. Draw handles here, mapped by `toScreen`. */
  stage(): Konva.Stage
  view(): View
  cine(): Cine
  frame(): number
  /** Image to CSS pixels of the view; pixels that are not square are drawn as what they are. */
  toScreen(point: Point): { x: number; y: number }
  toImage(at: { x: number; y: number }): Point
  /** CSS pixels to an image pixel, along columns. */
  scale(): number
}

/** What a pointer does in a view. Coordinates of the image. */
export interface Tool {
  readonly name: string
  readonly cursor: string
  /** A button of the tool bar is made for it; null has none. */
  readonly icon: string | null
  readonly key: string | null
  down?(viewport: Viewport, at: Point, event: PointerEvent): void
  move?(viewport: Viewport, at: Point, event: PointerEvent): void
  up?(viewport: Viewport, at: Point, event: PointerEvent): void
  /** The tool was chosen, or another one is. */
  enter?(): void
  leave?(): void
}

/** What a key does. `code` as in KeyboardEvent.key, with "Alt+", "Ctrl+", "Shift+" before it in this order. */
export interface Binding {
  readonly keys: readonly string[]
  /** Key of the words that say it in the list of keys. */
  readonly says: string
  run(event: KeyboardEvent): void
  /** Also while the key is held down. */
  repeats?: boolean
}
