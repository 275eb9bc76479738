/** Grey values by look-up table: what makes a frame of 256 x 256 pixels cost a fraction of a millisecond. */

import type { Cine } from '../store/state'

type Window = readonly [low: number, high: number]

const OPAQUE = 0xff000000

/** For each number that a pixel may hold its grey as a little-endian word of a canvas. */
export function greyTable(pixels: Cine['pixels'], [low, high]: Window): Uint32Array {
  const { data, offset, step } = pixels
  const count = data.BYTES_PER_ELEMENT === 1 ? 256 : 65536
  const isSigned = data instanceof Int16Array
  const table = new Uint32Array(count)
  const span = high > low ? high - low : 1
  for (let index = 0; index < count; index++) {
    const number = isSigned && index > 32767 ? index - 65536 : index
    const share = (offset + step * number - low) / span
    const grey = share <= 0 ? 0 : share >= 1 ? 255 : Math.round(255 * share)
    table[index] = OPAQUE | (grey << 16) | (grey << 8) | grey
  }
  return table
}

/** Fills the words of a canvas from one plane. */
export function paintPlane(words: Uint32Array, pixels: Cine['pixels'], start: number, table: Uint32Array): void {
  const { data, channels } = pixels
  const count = words.length
  const mask = table.length - 1
  if (channels === 1) {
    for (let index = 0; index < count; index++) words[index] = table[data[start + index]! & mask]!
    return
  }
  for (let index = 0, at = start; index < count; index++, at += 3) {
    const red = table[data[at]! & mask]! & 255
    const green = table[data[at + 1]! & mask]! & 255
    const blue = table[data[at + 2]! & mask]! & 255
    words[index] = OPAQUE | (blue << 16) | (green << 8) | red
  }
}

const labelTables = new WeakMap<object, Uint32Array>()

/** For each label its colour; 0 where it has none. */
export function labelTable(scheme: Readonly<Record<string, number>>): Uint32Array {
  const known = labelTables.get(scheme)
  if (known) return known
  const table = new Uint32Array(256)
  labelTables.set(scheme, table)
  for (const [structure, value] of Object.entries(scheme)) {
    const [red, green, blue] = COLOURS[structure.toUpperCase()] ?? [255, 255, 255]
    table[value] = OPAQUE | (blue << 16) | (green << 8) | red
  }
  return table
}

/** How much of a pixel is the colour of its label, of 256. */
const TINT = 72
const [RED_AND_BLUE, GREEN] = [0xff00ff, 0x00ff00]

/** Lays the colours of labels over the words of a canvas, half transparent. */
export function tintLabels(words: Uint32Array, labels: ArrayLike<number>, start: number, table: Uint32Array): void {
  for (let index = 0; index < words.length; index++) {
    const colour = table[labels[start + index]! & 255]!
    if (colour === 0) continue
    const word = words[index]!
    // Two channels at a time: their products stay apart, and below 2 ** 32.
    const outer = (word & RED_AND_BLUE) * (256 - TINT) + (colour & RED_AND_BLUE) * TINT
    const inner = (word & GREEN) * (256 - TINT) + (colour & GREEN) * TINT
    words[index] = OPAQUE | ((outer >>> 8) & RED_AND_BLUE) | ((inner >>> 8) & GREEN)
  }
}

type Colour = readonly [red: number, green: number, blue: number]

/** Of structures; contours have that of what they bound. */
export const COLOURS: Readonly<Record<string, Colour>> = {
  LV: [92, 200, 215],
  MYO: [240, 180, 90],
  LA: [178, 150, 250],
  RV: [127, 208, 138],
  RA: [242, 139, 168],
  VESSEL: [255, 138, 128],
}

export function colourOf(contour: string, alpha = 1): string {
  const name = contour === 'epi' ? 'MYO' : contour.toUpperCase()
  const [red, green, blue] = COLOURS[name] ?? [255, 255, 255]
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`
}
