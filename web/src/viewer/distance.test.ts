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
