/** Where things stand in a picture of differences over means (Bland and Altman 1986, Lancet 1:307). */

import type { QuantityAgreement } from '../api/types'

export const WIDTH = 460
export const HEIGHT = 260
const LEFT = 46
const RIGHT = 62
const TOP = 12
const BOTTOM = 34

export interface Plot {
  points: readonly { exam: string; x: number; y: number }[]
  /** Bias and limits of agreement as far as they are known, with their heights. */
  lines: readonly { kind: 'bias' | 'limit'; value: number; y: number }[]
  ticks: { x: readonly [value: number, at: number][]; y: readonly [value: number, at: number][] }
  box: { left: number; right: number; top: number; bottom: number }
}

/** Round numbers between two values, about four of them. */
export function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)))
}

/** Ends with room around them; one value alone is given some. */
function around(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const room = high > low ? 0.08 * (high - low) : Math.max(1, Math.abs(high) * 0.1)
  return [low - room, high + room]
}

export function plotOf({ pairs, bias, lower_limit, upper_limit }: QuantityAgreement): Plot {
  const found = pairs.map(([exam, one, other]) => ({ exam, mean: (one + other) / 2, difference: other - one }))
  const known = [
    { kind: 'limit', value: upper_limit },
    { kind: 'bias', value: bias },
    { kind: 'limit', value: lower_limit },
  ].flatMap(({ kind, value }) => (value === null ? [] : [{ kind: kind as 'bias' | 'limit', value }]))
  const [left, right] = around(found.map(({ mean }) => mean))
  const [low, high] = around([0, ...found.map(({ difference }) => difference), ...known.map(({ value }) => value)])
  const box = { left: LEFT, right: WIDTH - RIGHT, top: TOP, bottom: HEIGHT - BOTTOM }
  const across = (value: number) => box.left + ((value - left) / (right - left)) * (box.right - box.left)
  const up = (value: number) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top)
  return {
    points: found.map(({ exam, mean, difference }) => ({ exam, x: across(mean), y: up(difference) })),
    lines: known.map((line) => ({ ...line, y: up(line.value) })),
    ticks: { x: ticksOf(left, right).map((value) => [value, across(value)]), y: ticksOf(low, high).map((value) => [value, up(value)]) },
    box,
  }
}
