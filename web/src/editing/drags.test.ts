import { expect, test } from 'vitest'
import { distance, type Point } from '../geometry/point'
import { page } from '../store/page'
import { brushDrag, type Ground, landmarkDrag, pointDrag, pushDrag } from './drags'
import { unpacked } from './packing'
import { contentOf } from './planes'
import { openSample, sameLabels, SCHEME } from './sample'

const PLACE = { image: 'four', frame: 0, slice: 0 }

function groundOf(contour = 'lv'): Ground {
  openSample()
  const cine = page.get().exam!.cines['four']!
  return { place: PLACE, cine, before: contentOf(cine, PLACE)!, contour }
}

const at = (labels: Uint8Array, row: number, column: number): number => labels[row * 256 + column]!

test('a control point goes with the hand, and its gesture holds all points', () => {
  const ground = groundOf()
  const control = ground.before.plane.contours['lv']![4]!
  const drag = pointDrag(ground, [control[0] + 1, control[1]], 5)!
  const shown = drag.move([control[0] + 1, control[1] + 6], false)
  expect(shown.plane.contours['lv']![4]).toEqual([control[0], control[1] + 6])
  const gesture = drag.finish() as { kind: string; points: Point[] }
  expect(gesture).toMatchObject({ kind: 'contour', ...PLACE, contour: 'lv' })
  expect(gesture.points.length).toBe(ground.before.plane.contours['lv']!.length)
})

test('a touch without a way is no gesture', () => {
  const ground = groundOf()
  const control = ground.before.plane.contours['lv']![4]!
  const drag = pointDrag(ground, control, 5)!
  drag.move(control, false)
  expect(drag.finish()).toBeNull()
  expect(pointDrag(ground, [10, 10], 5)).toBeNull()
  expect(pushDrag(ground, [10, 10], 5, 12)).toBeNull()
})

test('the cavity cannot be pushed out of the epicardium, and its labels stay inside', () => {
  const ground = groundOf()
  const side = ground.before.plane.contours['lv']!.reduce((best, point) =>
    point[1] > best[1] && point[0] < 170 ? point : best,
  )
  const shown = pushDrag(ground, side, 10, 16)!.move([side[0], side[1] + 40], false)
  const beyond = shown.labels.filter((label, index) => label === SCHEME.LV && ground.before.labels[index] === 0).length
  expect(beyond).toBeLessThan(60)
  expect(shown.labels.filter((label) => label === SCHEME.LV).length).toBeGreaterThan(
    ground.before.labels.filter((label) => label === SCHEME.LV).length,
  )
})

test('points stay in the image', () => {
  const ground = groundOf('epi')
  const control = ground.before.plane.contours['epi']![6]!
  const shown = pointDrag(ground, control, 5)!.move([control[0] - 500, control[1]], false)
  for (const [row] of shown.plane.contours['epi']!) expect(row).toBeGreaterThanOrEqual(-0.5)
})

test('the brush turns wall into cavity but not what lies outside, and the eraser back', () => {
  const ground = groundOf()
  const [row, column] = [150, 128 + 40]
  const painted = brushDrag(ground, 12, false).move([row, column], false)
  expect(at(ground.before.labels, row, column)).toBe(SCHEME.MYO)
  expect(at(painted.labels, row, column)).toBe(SCHEME.LV)
  expect(at(painted.labels, row, column + 11)).toBe(at(ground.before.labels, row, column + 11))
  const erased = brushDrag(ground, 6, true).move([150, 128], false)
  expect(at(erased.labels, 150, 128)).toBe(SCHEME.MYO)
  const held = brushDrag(ground, 6, false).move([150, 128], true)
  expect(sameLabels(held.labels, erased.labels)).toBe(true)
})

test('below the annulus the brush finds room, beside the wall it finds none', () => {
  const ground = groundOf()
  const below = brushDrag(ground, 4, false).move([197, 128], false)
  expect(at(below.labels, 197, 128)).toBe(SCHEME.LV)
  const beside = brushDrag(ground, 4, false).move([100, 20], false)
  expect(sameLabels(beside.labels, ground.before.labels)).toBe(true)
})

test('the gesture of a stroke is the whole plane, and comes back as it was', async () => {
  const ground = groundOf()
  const drag = brushDrag(ground, 5, false)
  const shown = drag.move([150, 128 + 40], false)
  const gesture = (await drag.finish()) as { kind: string; labels: string }
  expect(gesture.kind).toBe('plane')
  expect(sameLabels(await unpacked(gesture.labels, 256 * 256), shown.labels)).toBe(true)
  await expect(unpacked(gesture.labels, 9)).rejects.toThrow('expected')
})

test('an annulus point is dragged: the apex is the farthest point from its middle', () => {
  const ground = groundOf()
  const [left] = ground.before.plane.axis!.annulus
  const drag = landmarkDrag(ground, left, 6)!
  const shown = drag.move([left[0] - 8, left[1] + 3], false)
  expect(shown.plane.axis!.annulus[0]).toEqual([left[0] - 8, left[1] + 3])
  expect(distance(shown.plane.axis!.apex, ground.before.plane.axis!.apex)).toBeLessThan(12)
  expect(drag.finish()).toMatchObject({ kind: 'landmarks', image: 'four', frame: 0, apex: null })
  expect(shown.plane.disks!.length).toBe(20)
})
