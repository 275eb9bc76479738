/** The calliper: millimetres where both ends lie in the part of one image whose pixels have a size. */

import type { Point } from '../geometry/point'
import type { ImageInfo } from '../api/types'

export type Refusal = 'calliper_no_size' | 'calliper_outside'

export function distanceMm(image: ImageInfo, from: Point, to: Point): number | Refusal {
  if (!image.spacing_mm) return 'calliper_no_size'
  const [top, left, bottom, right] = image.region ?? [0, 0, image.height, image.width]
  const isInside = ([row, column]: Point) => row >= top - 0.5 && column >= left - 0.5 && row <= bottom - 0.5 && column <= right - 0.5
  if (!isInside(from) || !isInside(to)) return 'calliper_outside'
  const [high, wide] = image.spacing_mm
  return Math.hypot((to[0] - from[0]) * high, (to[1] - from[1]) * wide)
}
