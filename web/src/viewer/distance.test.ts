import { expect, test } from 'vitest'
import type { ImageInfo } from '../api/types'
import { distanceMm } from './distance'

const image = (spacing_mm: [number, number] | null) => ({ height: 50, width: 40, spacing_mm }) as ImageInfo

test('rows and columns count with their own size', () => {
  expect(distanceMm(image([0.5, 2]), [0, 0], [6, 2])).toBe(5)
})

test('without a pixel size there are no millimetres', () => {
  expect(distanceMm(image(null), [0, 0], [6, 2])).toBe('calliper_no_size')
})

test('an end beyond the image is none of this image', () => {
  expect(distanceMm(image([1, 1]), [0, 0], [6, 60])).toBe('calliper_outside')
})

test('beside the calibrated part of a picture nothing is measured', () => {
  const part = { ...image([1, 1]), region: [10, 0, 30, 40] } as ImageInfo
  expect([distanceMm(part, [10, 0], [29, 0]), distanceMm(part, [9, 0], [20, 0]), distanceMm(part, [10, 0], [31, 0])]).toEqual([19, 'calliper_outside', 'calliper_outside'])
})
