/** What the pointer does in a view: window, zoom, pan, calliper. */

import type { Point } from '../geometry/point'
import { page, setExam } from '../store/page'
import { setView } from './actions'
import { distanceMm } from './distance'
import { zoomed } from './transform'
import type { Pane } from './pane'
import type { Tool, Viewport } from './viewport'

interface Held {
  x: number
  y: number
}

/** How far the pointer moved since it was asked last. */
class Drag {
  private at: Held | null = null

  begin(event: PointerEvent): void {
    this.at = { x: event.clientX, y: event.clientY }
  }

  end(): void {
    this.at = null
  }

  by(event: PointerEvent): { x: number; y: number } | null {
    if (!this.at) return null
    const moved = { x: event.clientX - this.at.x, y: event.clientY - this.at.y }
    this.begin(event)
    return moved
  }
}

/** Brighter upwards, more contrast to the left, as at consoles. */
export function changeWindow(image: string, brighter: number, wider: number): void {
  setExam((exam) => {
    const cine = exam.cines[image]
    if (!cine) return {}
    const [low, high] = exam.window[image] ?? cine.window
    const unit = (cine.window[1] - cine.window[0]) / 256
    const width = Math.max(unit, high - low + wider * unit)
    const level = (low + high) / 2 - brighter * unit
    return { window: { ...exam.window, [image]: [level - width / 2, level + width / 2] } }
  })
}

function dragging(name: string, icon: string, key: string, cursor: string, act: (pane: Pane, by: Held) => void): Tool {
  const drag = new Drag()
  return {
    name,
    icon,
    key,
    cursor,
    down: (_viewport, _at, event) => drag.begin(event),
    move: (viewport, _at, event) => {
      const by = drag.by(event)
      if (by) act(viewport as Pane, by)
    },
    up: () => drag.end(),
    leave: () => drag.end(),
  }
}

export const WINDOW = dragging('window', 'window', 'w', 'ns-resize', (pane, by) =>
  changeWindow(pane.view().image, -by.y, by.x),
)

export const ZOOM = dragging('zoom', 'zoom', 'z', 'zoom-in', (pane, by) => {
  const size = pane.sized()
  setView((view) => zoomed(pane.cine().info, view, size, { x: size.width / 2, y: size.height / 2 }, Math.exp(-by.y / 150)), pane.index)
})

export const PAN = dragging('pan', 'pan', 'g', 'grab', (pane, by) => {
  const across = pane.scale()
  const down = pane.toScreen([1, 0]).y - pane.toScreen([0, 0]).y
  setView((view) => ({ ...view, pan: [view.pan[0] - by.y / down, view.pan[1] - by.x / across] }), pane.index)
})

let measuring: Viewport | null = null

export const CALLIPER: Tool = {
  name: 'calliper',
  icon: 'calliper',
  key: 'c',
  cursor: 'crosshair',
  down(viewport, at) {
    const refused = distanceMm(viewport.cine().info, at, at)
    if (typeof refused !== 'number') {
      setExam({ said: refused })
      return
    }
    measuring = viewport
    const { image, slice } = viewport.view()
    setExam(({ distances }) => ({ said: null, distances: [...distances, { image, slice, frame: viewport.frame(), from: at, to: at }] }))
  },
  move(_viewport, at) {
    if (measuring) setExam(({ distances }) => ({ distances: distances.with(-1, { ...distances.at(-1)!, to: at }) }))
  },
  leave() {
    if (measuring) setExam(({ distances }) => ({ distances: distances.slice(0, -1) }))
    measuring = null
  },
  up() {
    const last = page.get().exam?.distances.at(-1)
    const cine = measuring?.cine()
    measuring = null
    if (!last || !cine) return
    const found = distanceMm(cine.info, last.from, last.to)
    const isKept = typeof found === 'number' && found > 0
    setExam(({ distances }) => ({
      distances: isKept ? distances : distances.slice(0, -1),
      said: typeof found === 'number' ? null : found,
    }))
  },
}

export const VIEWER_TOOLS: readonly Tool[] = [WINDOW, ZOOM, PAN, CALLIPER]

export type { Point }
