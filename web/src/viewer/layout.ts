/** Which views stand in the grid. */

import type { ImageInfo, Phase } from '../api/types'
import { imageOfPhase } from '../store/exam'
import type { Cine, Layout, View } from '../store/state'

const MOST_FRAMED = 3
const MARGIN = 1.9

/** How a view begins: at what was traced, with what lies around it, where that is a small part of the image. */
export function framing({ info, labels }: Cine): Pick<View, 'zoom' | 'pan'> {
  const whole = { zoom: 1, pan: [0, 0] as const }
  if (!labels) return whole
  const { height, width } = info
  let [top, left, bottom, right] = [height, width, -1, -1]
  const last = Math.min(labels.current.length, info.slices * height * width) // the first frame tells where the heart is
  for (let at = 0; at < last; at++) {
    if (!labels.current[at]) continue
    const row = Math.floor(at / width) % height
    const column = at % width
    if (row < top) top = row
    if (row > bottom) bottom = row
    if (column < left) left = column
    if (column > right) right = column
  }
  if (bottom < top) return whole
  const zoom = Math.min(MOST_FRAMED, height / (MARGIN * (bottom - top + 1)), width / (MARGIN * (right - left + 1)))
  if (zoom < 1.25) return whole
  return { zoom, pan: [(top + bottom + 1 - height) / 2, (left + right + 1 - width) / 2] }
}

const framings = new WeakMap<object, Pick<View, 'zoom' | 'pan'>>()

/** Worked out once for the pixels of an image: corrections do not move the view. */
export function homeOf(cine: Cine): Pick<View, 'zoom' | 'pan'> {
  let home = framings.get(cine.pixels)
  if (!home) framings.set(cine.pixels, (home = framing(cine)))
  return home
}

/** The slice in the middle of what is labelled, where a stack is best seen first. */
export function middleSlice(cine: Cine): number {
  const { frames, slices, height, width } = cine.info
  const labels = cine.labels?.current
  if (slices === 1 || !labels || !frames) return Math.floor(slices / 2)
  const area = height * width
  const seen = Array.from({ length: slices }, (_, slice) => slice).filter((slice) => {
    const start = slice * area
    for (let at = start; at < start + area; at++) if (labels[at]) return true
    return false
  })
  return seen[Math.floor(seen.length / 2)] ?? Math.floor(slices / 2)
}

/** Which way along the slices the apex lies: where the labelled ventricle ends smaller. */
export function towardsApex(cine: Cine): 1 | -1 {
  const { slices, height, width } = cine.info
  const labels = cine.labels
  const wall = labels && [labels.scheme['LV'], labels.scheme['MYO']]
  if (!labels || slices < 2) return 1
  const area = height * width
  const sizes = Array.from({ length: slices }, (_, slice) => {
    let size = 0
    for (let at = slice * area; at < (slice + 1) * area; at++) if (wall?.includes(labels.current[at]!)) size++
    return size
  }).filter((size) => size > 0)
  return (sizes[0] ?? 0) >= (sizes[sizes.length - 1] ?? 0) ? 1 : -1
}

/** The views of a layout, with what was shown kept where it fits. */
export function viewsOf(layout: Layout, cines: Readonly<Record<string, Cine>>, image: string, slice: number): View[] {
  const isAlike = ({ view }: ImageInfo) => view === cines[image]?.info.view // another view tells more
  const infos = Object.values(cines).map(({ info }) => info)
  const others = infos.filter(({ name }) => name !== image).sort((a, b) => Number(isAlike(a)) - Number(isAlike(b)))
  const cut = (name: string) => (name === image ? slice : middleSlice(cines[name]!))
  const film = (name: string, pin: Phase | null = null): View => ({ image: name, slice: cut(name), pin, ...homeOf(cines[name]!) })
  const held = (name: string, phase: Phase): View => film(imageOfPhase(infos, name, phase), phase)
  /** The film of the view: stills of both phases may lie beside it. */
  const moving = (): string => {
    const own = cines[image]!.info
    return (own.frames > 1 ? own : (infos.find((info) => isAlike(info) && info.frames > 1) ?? own)).name
  }
  switch (layout) {
    case 'review':
      return [
        held(image, 'ED'),
        held(image, 'ES'),
        film(moving()),
      ]
    case '1':
      return [film(image)]
    case '2':
      return others[0] ? [film(image), film(others[0].name)] : [held(image, 'ED'), held(image, 'ES')]
    case '4': {
      const second = others[0]?.name
      const below = second ? [held(second, 'ED'), held(second, 'ES')] : [film(image), film(image)]
      return [held(image, 'ED'), held(image, 'ES'), ...below]
    }
    case 'montage':
      return Array.from({ length: cines[image]?.info.slices ?? 1 }, (_, each) => ({ ...film(image), slice: each }))
  }
}
