/** For tests: shapes whose sizes are known, and how long something takes. */

import type { Point } from './point'

/** Control points on an ellipse. */
export function ellipse(centre: Point, half: Point, count = 16): Point[] {
  return Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count
    return [centre[0] + half[0] * Math.sin(angle), centre[1] + half[1] * Math.cos(angle)]
  })
}

/** A ring of the upper half of an ellipse: apex at the top, flat base through its centre. */
export function halfEllipse(centre: Point, height: number, radius: number, count = 400): Point[] {
  return Array.from({ length: count + 1 }, (_, k) => {
    const angle = (Math.PI * k) / count
    return [centre[0] - height * Math.sin(angle), centre[1] - radius * Math.cos(angle)]
  })
}

/** The shortest of many runs, ms: what else the machine does cannot make it shorter. */
export function quickest(run: () => unknown, turns = 60): number {
  let least = Infinity
  for (let turn = 0; turn < turns; turn++) {
    const start = performance.now()
    run()
    least = Math.min(least, performance.now() - start)
  }
  return least
}
