import { expect, test } from 'vitest'
import type { Cine } from '../store/state'
import { framing, middleSlice, towardsApex, viewsOf } from './layout'

/** A stack of 40 x 60 in which a box is labelled in some slices, smaller and smaller. */
function stack(sizes: readonly number[]): Cine {
  const [height, width] = [40, 60]
  const current = new Uint8Array(sizes.length * height * width)
  sizes.forEach((size, slice) => {
    for (let row = 10; row < 10 + size; row++) current.fill(1, (slice * height + row) * width + 30, (slice * height + row) * width + 30 + size)
  })
  return {
    info: { name: 'sa', view: 'SAX', frames: 1, slices: sizes.length, height, width, spacing_mm: null, phases: {} },
    pixels: { data: new Uint8Array(current.length), offset: 0, step: 1, channels: 1 },
    labels: { current, automatic: current, scheme: { LV: 1 } },
  } as unknown as Cine
}

test('a stack begins in the middle of what is traced, framed with its surroundings', () => {
  const cine = stack([0, 8, 6, 4, 0])
  expect(middleSlice(cine)).toBe(2)
  const { zoom, pan } = framing(cine)
  expect(zoom).toBeCloseTo(40 / (1.9 * 8))
  expect(pan).toEqual([14 - 20, 34 - 30]) // the middle of the box from that of the image
})

test('an image that is filled by what is traced is shown as a whole', () => {
  expect(framing(stack([30]))).toEqual({ zoom: 1, pan: [0, 0] })
})

test('the apex lies where the ventricle ends smaller', () => {
  expect(towardsApex(stack([0, 8, 6, 4]))).toBe(1)
  expect(towardsApex(stack([3, 6, 8, 0]))).toBe(-1)
})

test('one image alone still has two views: its phases', () => {
  const cines = { sa: stack([8, 8]) }
  expect(viewsOf('2', cines, 'sa', 1).map(({ pin, slice }) => [pin, slice])).toEqual([['ED', 1], ['ES', 1]])
  expect(viewsOf('montage', cines, 'sa', 1).map(({ slice }) => slice)).toEqual([0, 1])
})

test('stills of both phases stand above the film of the same view', () => {
  const still = (name: string, frames: number, phases: object) => {
    const cine = stack([8])
    return { ...cine, info: { ...cine.info, name, view: 'A4C', frames, phases } } as Cine
  }
  const cines = { ed: still('ed', 1, { ED: 0 }), es: still('es', 1, { ES: 0 }), film: still('film', 9, {}) }
  expect(viewsOf('review', cines, 'ed', 0).map(({ image, pin }) => [image, pin])).toEqual([['ed', 'ED'], ['es', 'ES'], ['film', null]])
})

test('stills: a view that is headed by a phase shows the still of that phase', () => {
  const still = (name: string, view: string, phases: object) => {
    const cine = stack([8])
    return { ...cine, info: { ...cine.info, name, view, phases } } as Cine
  }
  const cines = Object.fromEntries(
    ['A2C', 'A4C'].flatMap((view) => ['ED', 'ES'].map((phase) => [view + phase, still(view + phase, view, { [phase]: 0 })])),
  )
  expect(viewsOf('4', cines, 'A4CED', 0).map(({ image, pin }) => [image, pin])).toEqual([
    ['A4CED', 'ED'], ['A4CES', 'ES'], ['A2CED', 'ED'], ['A2CES', 'ES'],
  ])
  expect(viewsOf('2', cines, 'A2CED', 0).map(({ image }) => image)).toEqual(['A2CED', 'A4CED'])
})
