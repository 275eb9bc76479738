/** What buttons and keys of the viewer do. */

import type { Phase } from '../api/types'
import { activeView, frameOf, imageOfPhase, infoOf } from '../store/exam'
import { page, setExam } from '../store/page'
import type { LayerName, Layout, View } from '../store/state'
import { pause, showFrame } from './clock'
import { homeOf, middleSlice, towardsApex, viewsOf } from './layout'

/** Changes the view that is active. */
export function setView(change: (view: View) => View, index?: number): void {
  setExam(({ views, active }) => ({
    views: views.map((view, each) => (each === (index ?? active) ? change(view) : view)),
  }))
}

export function setLayout(layout: Layout): void {
  setExam((exam) => {
    const view = activeView(exam)
    if (!view) return {}
    const slice = layout === 'montage' || exam.layout !== 'montage' ? view.slice : exam.active
    const views = viewsOf(layout, exam.cines, view.image, slice)
    const active = layout === 'montage' ? view.slice : layout === 'review' ? 2 : 0
    return { layout, views, active: Math.min(active, views.length - 1) }
  })
}

/** Layouts whose views all belong to one image. */
const OF_ONE_IMAGE: ReadonlySet<Layout> = new Set(['review', 'montage', '1'])

/** Shows another image: in the active view, or in all where they belong to one image. */
export function showImage(image: string): void {
  const { exam } = page.get()
  const cine = exam?.cines[image]
  if (!exam || !cine || activeView(exam)?.image === image) return
  const slice = exam.views.find((view) => view.image === image)?.slice ?? middleSlice(cine)
  if (!OF_ONE_IMAGE.has(exam.layout)) {
    setView((before) => ({ ...before, image, slice, ...homeOf(cine) }))
    setExam({ series: null, said: null })
    return
  }
  const views = viewsOf(exam.layout, exam.cines, image, slice)
  const active = exam.layout === 'montage' ? slice : exam.layout === 'review' ? 2 : 0
  setExam({ views, active, series: null, said: null })
}

/** Steps through the film; views that are held at a phase stay there. */
export function stepFrame(by: number): void {
  const { exam } = page.get()
  const view = exam && activeView(exam)
  if (view) showFrame(view.image, (exam.frame[view.image] ?? 0) + by)
}

/** Steps through slices, all views of the image together. */
export function stepSlice(by: number): void {
  setExam((exam) => {
    const view = activeView(exam)
    const count = view && infoOf(exam, view.image)?.slices
    if (!view || !count || count < 2) return {}
    if (exam.layout === 'montage') return { active: Math.min(count - 1, Math.max(0, exam.active + by)) }
    const slice = Math.min(count - 1, Math.max(0, view.slice + by))
    return { views: exam.views.map((each) => (each.image === view.image ? { ...each, slice } : each)) }
  })
}

export function stepTowardsApex(by: number): void {
  const { exam } = page.get()
  const cine = exam && exam.cines[activeView(exam)?.image ?? '']
  if (cine) stepSlice(by * towardsApex(cine))
}

/** Shows a phase in the active view, or in all. */
export function goToPhase(phase: Phase, everywhere = false): void {
  const { exam: before } = page.get()
  const shown = before && activeView(before)?.image
  // Stills of both phases are images of their own.
  if (before && shown && !everywhere) showImage(imageOfPhase(before.study.images, shown, phase))
  setExam((exam) => {
    const images = everywhere ? exam.study.images.map(({ name }) => name) : [activeView(exam)?.image ?? '']
    const frame = { ...exam.frame }
    for (const name of images) {
      const at = infoOf(exam, name)?.phases[phase]
      if (at !== undefined) frame[name] = at
    }
    return { playing: false, frame }
  })
}

/** The frame that is shown in the active view, and of which image. */
export function shownFrame(): { image: string; frame: number; slice: number } | null {
  const { exam } = page.get()
  const view = exam && activeView(exam)
  return view ? { image: view.image, frame: frameOf(exam, view), slice: view.slice } : null
}

/** Goes to a frame as quantities name it, "image:frame". */
export function goToFrame(reference: string): void {
  const found = /^(.*):(\d+)$/.exec(reference)
  if (!found) return
  pause()
  showImage(found[1]!)
  showFrame(found[1]!, Number(found[2]))
}

export const toggleLayer = (name: LayerName): void =>
  setExam(({ layers }) => ({ layers: { ...layers, [name]: !layers[name] } }))

let hidden: Readonly<Record<LayerName, boolean>> | null = null

/** Hides all layers; again brings back those that were shown. */
export function toggleLayers(): void {
  const { exam } = page.get()
  if (!exam) return
  const isAny = Object.values(exam.layers).some(Boolean)
  const none = Object.fromEntries(Object.keys(exam.layers).map((name) => [name, false])) as typeof exam.layers
  if (isAny) hidden = exam.layers
  setExam({ layers: isAny ? none : (hidden ?? exam.layers) })
}

/** Back to how the view began; from there to the whole image. */
export const resetView = (): void => {
  const { exam } = page.get()
  const cine = exam && exam.cines[activeView(exam)?.image ?? '']
  if (!cine) return
  const home = homeOf(cine)
  setView((view) => {
    const isHome = view.zoom === home.zoom && view.pan === home.pan
    return { ...view, ...(isHome ? { zoom: 1, pan: [0, 0] } : home) }
  })
  setExam((exam) => {
    const window = { ...exam.window }
    delete window[activeView(exam)?.image ?? '']
    return { window }
  })
}

export type Preset = 'auto' | 'full' | 'soft' | 'hard'

/** Window of the active image: as the file says, all values, softer or harder. */
export function setPreset(preset: Preset): void {
  setExam((exam) => {
    const image = activeView(exam)?.image ?? ''
    const cine = exam.cines[image]
    if (!cine) return {}
    const [low, high] = cine.window
    const half = (high - low) / 2
    const windows: Record<Preset, readonly [number, number]> = {
      auto: cine.window,
      full: fullWindow(cine.pixels),
      soft: [low - half * 0.5, high + half * 0.5],
      hard: [low + half * 0.25, high - half * 0.4],
    }
    return { window: { ...exam.window, [image]: windows[preset] } }
  })
}

function fullWindow({ data, offset, step }: { data: ArrayLike<number>; offset: number; step: number }): [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (let index = 0; index < data.length; index++) {
    const value = data[index]!
    if (value < low) low = value
    if (value > high) high = value
  }
  return [offset + step * low, offset + step * high]
}
