import { expect, test } from 'vitest'
import type { Plane } from '../api/types'
import { frameOf, imageOfPhase, layersOf, phaseOfStill, pinOf, planeSpan } from './exam'
import type { Cine, ExamState, View } from './state'

const plane = (more: Partial<Plane>): Plane => ({ contours: {}, axis: null, disks: null, edited: false, verdict: null, ...more })
const cine = (planes: Plane[]): Cine => ({ info: { view: 'PLAX' }, labels: null, traces: { current: { planes: [planes] }, automatic: { planes: [planes] } } }) as unknown as Cine

test('only layers that an image has something for are offered', () => {
  expect([...layersOf(cine([plane({})]))]).toEqual(['automatic'])
  expect([...layersOf(cine([plane({}), plane({ contours: { lv: [] }, disks: [] })]))].sort()).toEqual(['automatic', 'contours', 'disks'])
})

test('segments are offered where a wall is divided into some', () => {
  const traced = (view: string) => ({ ...cine([plane({ contours: { lv: [] } })]), info: { view } }) as Cine
  const offers = (view: string) => layersOf(traced(view)).has('segments')
  expect(['A4C', '2CH', 'SAX', 'PLAX', 'FUNDUS'].map(offers)).toEqual([true, true, true, false, false])
})

test('a view that is held at a phase shows it whatever the film does', () => {
  const exam = { study: { images: [{ name: 'a', phases: { ES: 7 } }] }, frame: { a: 3 } } as unknown as ExamState
  const shown = (pin: View['pin']) => frameOf(exam, { image: 'a', slice: 0, pin, zoom: 1, pan: [0, 0] })
  expect([shown('ES'), shown(null), shown('ED')]).toEqual([7, 3, 3]) // no ED is known
  const headed = (pin: View['pin']) => pinOf(exam, { image: 'a', slice: 0, pin, zoom: 1, pan: [0, 0] })
  expect([headed('ES'), headed('ED')]).toEqual(['ES', null]) // and no other frame is headed ED
})

test('planes lie frame by frame, slice by slice', () => {
  expect(planeSpan({ slices: 3, height: 2, width: 5 } as never, 2, 1)).toEqual([70, 10])
})

test('the other phase of a still is the other still of its view', () => {
  const images = [['a', 'A4C', { ED: 0 }], ['b', 'A2C', { ES: 0 }], ['c', 'A4C', { ES: 0 }]].map(([name, view, phases]) => ({ name, view, phases })) as never
  expect(imageOfPhase(images, 'a', 'ES')).toBe('c')
  expect(imageOfPhase(images, 'a', 'ED')).toBe('a')
  expect(imageOfPhase(images, 'b', 'ED')).toBe('b') // there is none
})

test('a still is named by its phase, a film is not', () => {
  const named = (frames: number, phases: object) => phaseOfStill({ frames, phases } as never)
  expect([named(1, { ES: 0 }), named(1, {}), named(30, { ED: 0 }), named(1, { ED: 0, ES: 0 })]).toEqual(['ES', null, null, null])
})
