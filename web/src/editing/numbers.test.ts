import { expect, test } from 'vitest'
import type { Point } from '../geometry/point'
import { quickest } from '../geometry/shapes'
import { page } from '../store/page'
import { type Ground, pointDrag, pushDrag, withContour } from './drags'
import { Ledger, quantityKey } from './numbers'
import { contentOf, putContents } from './planes'
import { openSample } from './sample'

const PLACE = { image: 'four', frame: 0, slice: 0 }
const EF = 'left_ventricular_ejection_fraction'
const EDV = 'left_ventricular_end_diastolic_volume'

function groundOf(contour = 'lv'): Ground {
  const cine = page.get().exam!.cines['four']!
  return { place: PLACE, cine, before: contentOf(cine, PLACE)!, contour }
}

/** Every control point moved away from the middle of the cavity. */
function widened(ground: Ground, factor: number): Point[] {
  return ground.before.plane.contours['lv']!.map(([row, column]) => [row, 128 + factor * (column - 128)])
}

test('a cavity a tenth wider has a fifth more volume, and the ejection fraction follows', () => {
  const { study, cines } = openSample()
  const ledger = new Ledger()
  ledger.begin(cines, study)
  const ground = groundOf()
  putContents([[PLACE, withContour(ground, widened(ground, 1.1))]])
  const found = ledger.numbers(study, page.get().exam!.cines['four']!, 0)
  const [ef, ed, es, stroke] = study.measures.quantities.map(({ value }) => value) as [number, number, number, number]
  expect(found[EDV]! / ed).toBeCloseTo(1.21, 2)
  expect(found[EF]).toBeCloseTo(100 - (100 * es) / found[EDV]!, 6)
  expect(found['left_ventricular_stroke_volume']! - stroke).toBeCloseTo(found[EDV]! - ed, 6)
  expect(found['left_ventricular_end_diastolic_area']! / 30).toBeCloseTo(1.1, 2)
  expect(found['left_ventricular_end_systolic_volume']).toBeUndefined()
  expect(found[EF]).toBeGreaterThan(ef)
  // In the biplane volume only one of both planes is wider.
  expect(found[quantityKey(study.measures.quantities[4]!)]! / 120).toBeCloseTo(1.1, 2)
})

test('a gesture taken back gives the very same numbers', () => {
  const { study, cines } = openSample()
  const ledger = new Ledger()
  ledger.begin(cines, study)
  const ground = groundOf()
  putContents([[PLACE, withContour(ground, widened(ground, 1.1))]])
  putContents([[PLACE, ground.before]])
  expect(ledger.numbers(study, page.get().exam!.cines['four']!, 0)).toEqual({})
})

test('a second gesture counts from the answer to the first', () => {
  const { study, cines } = openSample()
  const ledger = new Ledger()
  ledger.begin(cines, study)
  const ground = groundOf()
  putContents([[PLACE, withContour(ground, widened(ground, 1.1))]])
  const kept = ledger.keep(page.get().exam!.cines['four']!, 0)
  putContents([[PLACE, withContour(groundOf(), widened(ground, 1.2))]])
  ledger.answered(kept, false)
  const found = ledger.numbers(study, page.get().exam!.cines['four']!, 0)
  const ed = study.measures.quantities[1]!.value
  expect(found[EDV]! / ed).toBeCloseTo((1.2 / 1.1) ** 2, 2)
})

for (const size of [
  { height: 256, width: 256 },
  { height: 600, width: 800 },
]) {
  test(`contour, labels and numbers follow the hand within 16 ms on ${size.height} x ${size.width} pixels`, () => {
    const { study, cines } = openSample(size)
    const ledger = new Ledger()
    ledger.begin(cines, study)
    const ground = groundOf()
    const at = ground.before.plane.contours['lv']![5]!
    for (const drag of [pushDrag(ground, at, 20, 16)!, pointDrag(ground, at, 20)!]) {
      let step = 0
      const took_ms = quickest(() => {
        putContents([[PLACE, drag.move([at[0], at[1] - (step++ % 9)], false)]])
        ledger.numbers(study, page.get().exam!.cines['four']!, 0)
      }, 40)
      expect(took_ms).toBeLessThan(16)
    }
  })
}
