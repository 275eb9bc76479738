/** The calliper: millimetres where both ends lie in one image whose pixels have a size. */

import type { Point } from '../geometry/point'
import type { ImageInfo } from '../api/types'

export type Refusal = 'calliper_no_size' | 'calliper_outside'

export function distanceMm(image: ImageInfo, from: Point, to: Point): number | Refusal {
  if (!image.spacing_mm) return 'calliper_no_size'
  const isInside = ([row, column]: Point) =>
    row >= -0.5 && column >= -0.5 && row <= image.height - 0.5 && column <= image.width - 0.5
  if (!isInside(from) || !isInside(to)) return 'calliper_outside'
  const [high, wide] = image.spacing_mm
  return Math.hypot((to[0] - from[0]) * high, (to[1] - from[1]) * wide)
}
