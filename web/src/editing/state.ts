/** What the editing knows beside the exam, and how its parts are told. */

import { useEffect, useState } from 'preact/hooks'
import { Store } from '../store/store'

/**
 * How it stands with the server: "free" nobody holds the exam; "ours" we do; "other" another person does; "offline" the
 * server is not reached; "changed" somebody else's version is current, and what was not sent is offered again; "left"
 * gestures of an earlier visit were never sent, and are offered.
 */
export type Standing = 'free' | 'ours' | 'other' | 'offline' | 'changed' | 'left'

export interface EditState {
  /** The contour that tools are about. */
  contour: string
  /** Radius of the brush, pixels of the image. */
  brush: number
  /** Half width of what the push tool takes along, pixels along the curve. */
  reach: number
  standing: Standing
  /** Name of the person who holds the exam, if it is another. */
  holder: string
  /** Gestures that the server has not answered. */
  waiting: number
  /** Why a gesture was refused, or what else is to be known. */
  said: string
  /** A reason is being asked for: what for, or nothing. */
  asks: 'reject' | 'restore' | null
}

export const EDIT_INITIAL: EditState = {
  contour: 'lv',
  brush: 6,
  reach: 16,
  standing: 'free',
  holder: '',
  waiting: 0,
  said: '',
  asks: null,
}

export const edits = new Store<EditState>(EDIT_INITIAL)

/** Draws a component again when what it chooses of the editing changes. */
export function useEdits<Chosen>(choose: (state: EditState) => Chosen): Chosen {
  const [chosen, take] = useState(() => choose(edits.get()))
  useEffect(() => {
    take(() => choose(edits.get()))
    return edits.watch(choose, (next) => take(() => next))
  }, [])
  return chosen
}
