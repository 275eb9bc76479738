/** What brush and eraser make of a pixel: cavity only inside the heart, myocardium only around it, the rest in free places. */

import type { Plane } from '../api/types'
import type { Paint } from '../geometry/brush'
import type { Point } from '../geometry/point'
import { valueOf } from './planes'

export interface Ink {
  readonly paint: Paint
  readonly erase: Paint
}

/**
 * The ink of one contour.
 *
 * The cavity takes place from myocardium and gives it back; beyond the mitral annulus, where the base is open, it takes
 * free pixels and frees them. The myocardium takes free pixels and frees them, as other structures do: none of them takes
 * anything from another.
 */
export function inkOf(plane: Plane, scheme: Readonly<Record<string, number>>, contour: string): Ink {
  const value = valueOf(scheme, contour) ?? 0
  const wall = scheme['MYO']
  if (contour === 'lv' && wall !== undefined && plane.contours['epi']) {
    const isBeyond = beyondAnnulus(plane)
    return {
      paint: (label, row, column) => (label === wall || (label === 0 && isBeyond([row, column])) ? value : label),
      erase: (label, row, column) => (label !== value ? label : isBeyond([row, column]) ? 0 : wall),
    }
  }
  return {
    paint: (label) => (label === 0 ? value : label),
    erase: (label) => (label === value ? 0 : label),
  }
}

/** Whether a place lies on the other side of the mitral annulus than the apex; nowhere without an axis. */
function beyondAnnulus({ axis }: Plane): (at: Point) => boolean {
  if (!axis) return () => false
  const [[row, column], [otherRow, otherColumn]] = axis.annulus
  const side = (at: Point): number => (otherRow - row) * (at[1] - column) - (otherColumn - column) * (at[0] - row)
  const ofApex = side(axis.apex)
  return (at) => side(at) * ofApex < 0
}
