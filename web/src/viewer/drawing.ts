/** When views are drawn: all of them together, once for each picture of the screen. */

export interface Drawn {
  /** Draws what changed since the last time. */
  draw(): void
}

/** All views that are in the page. */
export const panes = new Set<Drawn>()

let asked = 0

/** Draws before the next picture of the screen. */
export function drawSoon(): void {
  asked ||= requestAnimationFrame(drawNow)
}

/** Draws into the picture of the screen that is being made: who is called for it would else be one too late. */
export function drawNow(): void {
  cancelAnimationFrame(asked)
  asked = 0
  for (const pane of panes) pane.draw()
}
