import { cpuUsage } from 'node:process'
import { expect, test } from 'vitest'
import { greyTable, labelTable, paintPlane, tintLabels } from './lut'

const grey = (word: number) => word & 255

test('the window maps its ends to black and white, and a middle value between', () => {
  const table = greyTable({ data: new Uint8Array(1), offset: 0, step: 1, channels: 1 }, [50, 150])
  expect([0, 50, 100, 150, 255].map((value) => grey(table[value]!))).toEqual([0, 0, 128, 255, 255])
})

test('negative numbers of two bytes are darker than positive ones', () => {
  const data = new Int16Array([-1000, 0, 1000])
  const pixels = { data, offset: 0, step: 1, channels: 1 } as const
  const words = new Uint32Array(3)
  paintPlane(words, pixels, 0, greyTable(pixels, [-1000, 1000]))
  expect([...words].map(grey)).toEqual([0, 128, 255])
  expect(words[0]! >>> 24).toBe(255)
})

test('a step and an offset turn numbers into values', () => {
  const table = greyTable({ data: new Uint16Array(1), offset: -1, step: 2 / 65535, channels: 1 }, [-1, 1])
  expect([grey(table[0]!), grey(table[65535]!)]).toEqual([0, 255])
})

test('colour keeps its channels', () => {
  const pixels = { data: new Uint8Array([10, 20, 30]), offset: 0, step: 1, channels: 3 } as const
  const words = new Uint32Array(1)
  paintPlane(words, pixels, 0, greyTable(pixels, [0, 255]))
  expect([words[0]! & 255, (words[0]! >> 8) & 255, (words[0]! >> 16) & 255]).toEqual([10, 20, 30])
})

test('a label tints its pixels, and the rest stays as it is', () => {
  const table = labelTable({ LV: 1 }) // 92, 200, 215
  const white = 0xffffffff
  const words = Uint32Array.from([white, white, 0xff000000])
  tintLabels(words, [0, 1, 1], 0, table)
  const channels = (word: number) => [word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24]
  const mixed = (grey: number) => [92, 200, 215].map((each) => Math.floor((each * 72 + grey * 184) / 256))
  expect(words[0]).toBe(white)
  expect(channels(words[1]!)).toEqual([...mixed(255), 255])
  expect(channels(words[2]!)).toEqual([...mixed(0), 255])
})

test('two frames of 256 x 256 with labels cost a fraction of a sixtieth of a second', () => {
  const count = 256 * 256
  const pixels = { data: Uint8Array.from({ length: count }, (_, index) => index), offset: 0, step: 1, channels: 1 } as const
  const [grey, colours, words] = [greyTable(pixels, [10, 200]), labelTable({ LV: 1 }), new Uint32Array(count)]
  const pair = () => {
    for (let each = 0; each < 2; each++) {
      paintPlane(words, pixels, 0, grey)
      tintLabels(words, pixels.data, 0, colours)
    }
  }
  for (let warm = 0; warm < 20; warm++) pair()
  const before = cpuUsage()
  for (let round = 0; round < 50; round++) pair()
  expect(cpuUsage(before).user / 1000 / 50).toBeLessThan(4) // ms of processor time, whatever else runs
})
