/** Points of an image's plane: [row, column], pixel centres at whole numbers. */

export type Point = readonly [row: number, column: number]

/** Height and width of a pixel, mm; [1, 1] for sizes in pixels. */
export type PixelSize = readonly [height: number, width: number]

export const PIXELS: PixelSize = [1, 1]

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1])

export const moved = (point: Point, by: Point, share = 1): Point => [point[0] + share * by[0], point[1] + share * by[1]]

export const between = (a: Point, b: Point): Point => [b[0] - a[0], b[1] - a[1]]

export const middle = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]

/** The points in the unit of a pixel's size. */
export const scaled = (points: readonly Point[], pixel: PixelSize): Point[] =>
  points.map(([row, column]) => [row * pixel[0], column * pixel[1]])
