/** Where a pixel of the image lies in the view. */

import type { Point } from '../geometry/point'
import type { View } from '../store/state'

export interface Size {
  width: number
  height: number
}

export interface Placed {
  height: number
  width: number
  spacing_mm: readonly [number, number] | null
}

/** CSS pixels: `x = left + (column + 0.5) * across`, `y = top + (row + 0.5) * down`. */
export interface Transform {
  across: number
  down: number
  left: number
  top: number
}

/** The image as large as the view allows, its pixels as wide and high as they are; then zoomed and moved. */
export function transformOf(image: Placed, view: Pick<View, 'zoom' | 'pan'>, size: Size): Transform {
  const [high, wide] = image.spacing_mm ?? [1, 1]
  const fit = Math.min(size.width / (image.width * wide), size.height / (image.height * high)) || 1
  const across = fit * wide * view.zoom
  const down = fit * high * view.zoom
  return {
    across,
    down,
    left: size.width / 2 - (image.width / 2 + view.pan[1]) * across,
    top: size.height / 2 - (image.height / 2 + view.pan[0]) * down,
  }
}

export const toScreen = (transform: Transform, [row, column]: Point): { x: number; y: number } => ({
  x: transform.left + (column + 0.5) * transform.across,
  y: transform.top + (row + 0.5) * transform.down,
})

export const toImage = (transform: Transform, at: { x: number; y: number }): Point => [
  (at.y - transform.top) / transform.down - 0.5,
  (at.x - transform.left) / transform.across - 0.5,
]

export const MOST_ZOOM = 20
export const LEAST_ZOOM = 0.5

interface Place {
  x: number
  y: number
}

/** Zooms, and moves what lay at one place of the view to another: under both fingers stays what they took hold of. */
export function carried(image: Placed, view: View, size: Size, from: Place, to: Place, by: number): View {
  const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, view.zoom * by))
  const held = toImage(transformOf(image, view, size), from)
  const now = toImage(transformOf(image, { zoom, pan: view.pan }, size), to)
  return { ...view, zoom, pan: [view.pan[0] + held[0] - now[0], view.pan[1] + held[1] - now[1]] }
}

/** Zooms about a point of the view, which stays where it is. */
export const zoomed = (image: Placed, view: View, size: Size, at: Place, by: number): View => carried(image, view, size, at, at, by)
