import { expect, test } from 'vitest'
import { routeOf } from './settings'

test('an address names its page, and none is the list', () => {
  expect(['', '#/', '#/nothing', '#/studies/'].map((hash) => routeOf(hash).page)).toEqual(['list', 'list', 'list', 'list'])
  expect(routeOf('#/studies/a%20b')).toEqual({ page: 'study', id: 'a b' })
  expect(routeOf('#/archives')).toEqual({ page: 'archives' })
  expect(routeOf('#/reader-studies')).toEqual({ page: 'readers' })
  expect(routeOf('#/reader-studies/new')).toEqual({ page: 'new-readers' })
  expect(routeOf('#/reader-studies/newer')).toEqual({ page: 'reader-study', id: 'newer' })
})

test('a reading is shown by the page of studies, by a path of its own', () => {
  expect(routeOf('#/reader-studies/g/readings/s')).toEqual({ page: 'study', id: 'g/readings/s' })
})
