/** The tools of the editing: what begins when a pointer comes down, and how it goes on. */

import { page, setExam } from '../store/page'
import type { Tool, Viewport } from '../viewer/viewport'
import { controlAt, placeOnCurve, withInserted, withRemoved } from '../geometry/controls'
import type { Point } from '../geometry/point'
import { brushDrag, controlsIn, type Drag, type Ground, landmarkDrag, pointDrag, pushDrag, withContour } from './drags'
import { contentOf, putContents, sent } from './planes'
import type { Exchange } from './exchange'
import { edits } from './state'

/** How near a pointer must come, CSS pixels: a finger hides what it points at. */
const REACH = { mouse: 9, pen: 12, touch: 24 } as const
/** The push tool takes hold of the curve from farther off. */
const PUSH_REACH = 3
/** Two touches so soon and so near are a double one: pointer events do not say it. */
const DOUBLE_MS = 350
const DOUBLE_PX = 6

/** What is under way, for whoever draws handles. */
export interface Hover {
  viewport: Viewport
  at: Point
}

export class Hands {
  hover: Hover | null = null
  private drag: Drag | null = null
  private ground: Ground | null = null
  private viewport: Viewport | null = null
  private touched = { time: -Infinity, x: 0, y: 0 }

  constructor(
    private readonly exchange: () => Exchange | null,
    private readonly changed: () => void,
  ) {}

  get isBusy(): boolean {
    return this.drag !== null
  }

  readonly tools: readonly Tool[] = [
    this.tool('select', 'default', 'pointer', 'v', (ground, at, reach, event) => this.grasp(ground, at, reach, event)),
    this.tool('push', 'grab', 'push', 'f', (ground, at, reach) =>
      pushDrag(ground, at, PUSH_REACH * reach, edits.get().reach),
    ),
    this.tool('brush', 'none', 'brush', 'b', (ground) => brushDrag(ground, edits.get().brush, false)),
    this.tool('eraser', 'none', 'eraser', 'e', (ground) => brushDrag(ground, edits.get().brush, true)),
    this.tool('landmarks', 'default', 'landmarks', 'm', (ground, at, reach) => landmarkDrag(ground, at, 2 * reach)),
  ]

  private tool(
    name: string,
    cursor: string,
    icon: string,
    key: string,
    begin: (ground: Ground, at: Point, reach: number, event: PointerEvent) => Drag | null,
  ): Tool {
    return {
      name,
      cursor,
      icon,
      key,
      down: (viewport, at, event) => this.down(viewport, at, event, begin),
      move: (viewport, at, event) => this.move(viewport, at, event),
      up: (viewport, at, event) => this.up(viewport, at, event),
      leave: () => {
        this.cancel()
        this.hover = null
        this.changed()
      },
    }
  }

  private down(
    viewport: Viewport,
    at: Point,
    event: PointerEvent,
    begin: (ground: Ground, at: Point, reach: number, event: PointerEvent) => Drag | null,
  ): void {
    const exchange = this.exchange()
    if (!exchange || event.button > 0 || !exchange.mayBegin()) return
    this.cancel()
    if (page.get().exam?.playing) setExam({ playing: false })
    const ground = groundOf(viewport, edits.get().contour)
    if (!ground) return
    exchange.begin(ground.place)
    this.ground = ground
    this.viewport = viewport
    this.drag = begin(ground, at, reachOf(viewport, event), event)
    if (this.drag) this.follow(at, event)
    else exchange.release()
  }

  private move(viewport: Viewport, at: Point, event: PointerEvent): void {
    this.hover = { viewport, at }
    if (this.drag && viewport === this.viewport) this.follow(at, event)
    this.changed()
  }

  private up(viewport: Viewport, at: Point, event: PointerEvent): void {
    const { drag, ground } = this
    const exchange = this.exchange()
    if (!drag || !ground || !exchange || viewport !== this.viewport) return
    this.follow(at, event)
    this.drag = null
    const gesture = drag.finish()
    if (gesture) void exchange.finish(gesture, ground.place, ground.before)
    else this.putBack(ground, exchange)
    this.changed()
  }

  private follow(at: Point, event: PointerEvent): void {
    if (!this.drag || !this.ground) return
    const { place } = this.ground
    putContents([[place, this.drag.move(at, event.ctrlKey)]])
    const cine = page.get().exam?.cines[place.image]
    if (cine) this.exchange()?.follow(cine, place.frame)
  }

  /** The gesture under way is dropped, and the plane is as it was. */
  cancel(): boolean {
    const { drag, ground } = this
    if (!drag || !ground) return false
    this.drag = null
    this.putBack(ground, this.exchange())
    this.changed()
    return true
  }

  /** Nothing came of it: the plane is what it was, and nobody edited it. */
  private putBack(ground: Ground, exchange: Exchange | null): void {
    putContents([[ground.place, ground.before]])
    exchange?.release()
  }

  /** A control point, a landmark, or another contour that becomes the one in hand. */
  private grasp(ground: Ground, at: Point, reach: number, event: PointerEvent): Drag | null {
    if (this.isDouble(event) || event.altKey) {
      this.addOrRemove(ground, at, reach)
      return null
    }
    const drag = pointDrag(ground, at, reach)
    if (drag) return drag
    const other = nearestContour(ground, at, reach)
    if (!other) return null
    edits.set({ contour: other })
    const fresh = { ...ground, contour: other }
    this.ground = fresh
    return pointDrag(fresh, at, reach)
  }

  private isDouble({ timeStamp, clientX, clientY }: PointerEvent): boolean {
    const { time, x, y } = this.touched
    const isDouble = timeStamp - time < DOUBLE_MS && Math.hypot(clientX - x, clientY - y) < DOUBLE_PX
    this.touched = { time: isDouble ? -Infinity : timeStamp, x: clientX, y: clientY }
    return isDouble
  }

  private addOrRemove(ground: Ground, at: Point, reach: number): void {
    const controls = controlsIn(ground)
    if (controls.length === 0) return
    const index = controlAt(controls, at, reach)
    const place = placeOnCurve(controls, at)
    if (index === null && place.distance > reach) return
    const fresh = index === null ? withInserted(controls, place) : withRemoved(controls, index)
    if (fresh === controls) return
    putContents([[ground.place, withContour(ground, fresh)]])
    const points = sent(fresh)
    void this.exchange()?.finish(
      { kind: 'contour', ...ground.place, contour: ground.contour, points },
      ground.place,
      ground.before,
    )
  }
}

/** The plane that a view shows, to be edited; null where it has no contours. */
export function groundOf(viewport: Viewport, contour: string): Ground | null {
  const cine = viewport.cine()
  const { image, slice } = viewport.view()
  const place = { image, frame: viewport.frame(), slice }
  const before = contentOf(cine, place)
  return before && { place, cine, before, contour }
}

/** The contour of a plane whose curve is nearest to a point, within reach; the one in hand is not among them. */
function nearestContour({ before, contour }: Ground, at: Point, reach: number): string | null {
  let best: string | null = null
  let least = reach
  for (const [name, controls] of Object.entries(before.plane.contours)) {
    const off = name === contour || controls.length < 3 ? Infinity : placeOnCurve(controls, at).distance
    if (off < least) [best, least] = [name, off]
  }
  return best
}

function reachOf(viewport: Viewport, event: PointerEvent): number {
  const css = REACH[event.pointerType as keyof typeof REACH] ?? REACH.mouse
  return css / viewport.scale()
}
