/** Reads `application/x-cardiotrace-array`: a JSON header and one little-endian block. */

export type Pixels = Uint8Array | Uint16Array | Int16Array | Float32Array

export interface FramesHeader {
  shape: number[]
  dtype: string
  window?: [number, number]
  spacing_mm?: [number, number] | null
  slice_mm?: number | null
  times_ms?: number[] | null
  heart_rate?: number | null
  scheme?: Record<string, number>
}

export interface Container {
  header: FramesHeader
  data: Pixels
}

const MAKE: Record<string, (buffer: ArrayBuffer, start: number, count: number) => Pixels> = {
  uint8: (buffer, start, count) => new Uint8Array(buffer, start, count),
  uint16: (buffer, start, count) => new Uint16Array(buffer, start, count),
  int16: (buffer, start, count) => new Int16Array(buffer, start, count),
  float32: (buffer, start, count) => new Float32Array(buffer, start, count),
}

export function readContainer(buffer: ArrayBuffer): Container {
  if (buffer.byteLength < 8) throw new Error('this is no array: it is too short')
  const view = new DataView(buffer)
  if (new TextDecoder().decode(buffer.slice(0, 4)) !== 'CTA1') throw new Error('this is no array of version 1')
  const length = view.getUint32(4, true)
  const start = 8 + length
  if (start > buffer.byteLength) throw new Error('the header of the array is cut short')
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length))) as FramesHeader
  const make = MAKE[header.dtype]
  if (!make) throw new Error(`arrays of ${header.dtype} are not known`)
  const count = header.shape.reduce((product, side) => product * side, 1)
  try {
    return { header, data: make(buffer, start, count) }
  } catch {
    throw new Error('the array is cut short')
  }
}
