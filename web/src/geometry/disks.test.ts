import { expect, test } from 'vitest'
import {
  areaLengthVolume,
  axisLength,
  biplaneVolume,
  disksOf,
  ejectionFraction,
  singlePlaneVolume,
  withFarthestApex,
} from './disks'
import type { Point } from './point'
import { halfEllipse } from './shapes'

const BASE: readonly [Point, Point] = [
  [100, 25],
  [100, 75],
]

test('half an ellipsoid: 2/3 pi r^2 L, by disks and by area and length', () => {
  const ring = halfEllipse([100, 50], 80, 25)
  const axis = withFarthestApex(BASE, ring)
  expect(axisLength(axis)).toBeCloseTo(80, 9)
  const exact = (2 / 3) * Math.PI * 25 ** 2 * 80
  expect(singlePlaneVolume(disksOf(ring, axis)!) / exact).toBeCloseTo(1, 3)
  expect(areaLengthVolume(ring, axis) / exact).toBeCloseTo(1, 3)
})

test('two planes make elliptic disks as long as the longer axis', () => {
  const first = disksOf(halfEllipse([100, 50], 80, 25), withFarthestApex(BASE, halfEllipse([100, 50], 80, 25)))!
  const other = halfEllipse([100, 50], 76, 20)
  const second = disksOf(other, withFarthestApex(BASE, other))!
  expect(biplaneVolume(first, second) / ((2 / 3) * Math.PI * 25 * 20 * 80)).toBeCloseTo(1, 3)
})

test('a notch between two crossings is left out', () => {
  const ring: Point[] = [
    [0, 0],
    [0, 4],
    [10, 4],
    [10, 6],
    [0, 6],
    [0, 10],
    [20, 10],
    [20, 0],
  ]
  const disks = disksOf(
    ring,
    {
      annulus: [
        [20, 0],
        [20, 10],
      ],
      apex: [0, 5],
    },
    20,
  )!
  expect(disks.diameters[0]).toBeCloseTo(10, 9)
  expect(disks.diameters[19]).toBeCloseTo(8, 9)
  expect(disks.ends[19]).toEqual([
    [0.5, 10],
    [0.5, 0],
  ])
})

test('no length, no disks; ejection fractions are percent', () => {
  expect(disksOf(halfEllipse([100, 50], 80, 25), { annulus: BASE, apex: [100, 50] })).toBeNull()
  expect(ejectionFraction(120, 48)).toBe(60)
  expect(ejectionFraction(0, 0)).toBeNaN()
})
