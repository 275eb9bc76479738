/** Volumes from long-axis planes: the method of disks, area-length, ejection fraction. Lengths in any one unit. */

import { between, distance, middle, type Point } from './point'
import { areaOf } from './polygon'

export const DISK_COUNT = 20

/** Mitral annulus and apex. */
export interface LongAxis {
  readonly annulus: readonly [Point, Point]
  readonly apex: Point
}

/** A cavity cut into disks of equal height, from the annulus to the apex. */
export interface Disks {
  /** Where each disk's middle plane meets the outline. */
  readonly ends: readonly (readonly [Point, Point])[]
  readonly diameters: readonly number[]
  readonly length: number
}

export const axisLength = (axis: LongAxis): number => distance(middle(...axis.annulus), axis.apex)

/** The long axis with its apex at the point of an outline farthest from the middle of the annulus. */
export function withFarthestApex(annulus: readonly [Point, Point], ring: readonly Point[]): LongAxis {
  const base = middle(...annulus)
  let apex = base
  for (const point of ring) if (distance(point, base) > distance(apex, base)) apex = point
  return { annulus, apex }
}

/**
 * An outline cut across its long axis, each disk half-way up; diameters are exact chords of the polygon.
 *
 * @returns Null where apex and base coincide.
 */
export function disksOf(ring: readonly Point[], axis: LongAxis, count = DISK_COUNT): Disks | null {
  const base = middle(...axis.annulus)
  const length = axisLength(axis)
  if (!(length > 0)) return null
  const up = between(base, axis.apex).map((part) => part / length) as unknown as Point
  const across: Point = [-up[1], up[0]]
  const along = ring.map((point) => dot(between(base, point), up))
  const aside = ring.map((point) => dot(between(base, point), across))
  const ends: [Point, Point][] = []
  const diameters: number[] = []
  for (let k = 0; k < count; k++) {
    const height = ((k + 0.5) * length) / count
    const [low, high, width] = chord(along, aside, height)
    const place = (side: number): Point => [
      base[0] + height * up[0] + side * across[0],
      base[1] + height * up[1] + side * across[1],
    ]
    ends.push([place(low), place(high)])
    diameters.push(width)
  }
  return { ends, diameters, length }
}

/** First and last crossing of the outline with a line across, and the length inside between them. */
function chord(along: readonly number[], aside: readonly number[], height: number): [number, number, number] {
  const crossings: number[] = []
  for (let start = 0; start < along.length; start++) {
    const stop = start + 1 === along.length ? 0 : start + 1
    // A corner exactly on the line counts as below it, so that crossings come in pairs.
    if (along[start]! > height === along[stop]! > height) continue
    const share = (height - along[start]!) / (along[stop]! - along[start]!)
    crossings.push(aside[start]! + share * (aside[stop]! - aside[start]!))
  }
  if (crossings.length === 0) return [0, 0, 0]
  crossings.sort((a, b) => a - b)
  // In at the first, third, ... crossing and out at the next: notches between are left out.
  let width = 0
  for (let k = 0; k + 1 < crossings.length; k += 2) width += crossings[k + 1]! - crossings[k]!
  return [crossings[0]!, crossings[crossings.length - 1]!, width]
}

const dot = (a: Point, b: Point): number => a[0] * b[0] + a[1] * b[1]

/** V = pi/4 sum(d^2) L/n, each disk round, in cubes of the unit. */
export const singlePlaneVolume = (disks: Disks): number => diskVolume(disks.diameters, disks.diameters, disks.length)

/** V = pi/4 sum(a b) L/n, each disk an ellipse, L the longer of both long axes. */
export const biplaneVolume = (first: Disks, second: Disks): number =>
  diskVolume(first.diameters, second.diameters, Math.max(first.length, second.length))

function diskVolume(first: readonly number[], second: readonly number[], length: number): number {
  const sum = first.reduce((total, diameter, k) => total + diameter * second[k]!, 0)
  return ((Math.PI / 4) * sum * length) / first.length
}

/** V = 8 A^2 / (3 pi L); NaN without a length. */
export function areaLengthVolume(ring: readonly Point[], axis: LongAxis): number {
  const length = axisLength(axis)
  return length > 0 ? (8 * areaOf(ring) ** 2) / (3 * Math.PI * length) : NaN
}

/** Percent; NaN where there is no end-diastolic volume. */
export const ejectionFraction = (endDiastolic: number, endSystolic: number): number =>
  endDiastolic > 0 ? (100 * (endDiastolic - endSystolic)) / endDiastolic : NaN
