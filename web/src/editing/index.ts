/** What the viewer knows of the editing. */

import type { ComponentChild } from 'preact'
import type { Gesture } from '../api/types'
import { api, page, setExam } from '../store/page'
import type { Binding, Tool, Viewport } from '../viewer/viewport'

export interface Editing {
  readonly tools: readonly Tool[]
  readonly bindings: readonly Binding[]
  /** Sends a gesture and puts the answer into the state; shows why where it is refused. */
  send(gesture: Gesture): Promise<void>
  /** A view is there: handles may be drawn on its stage. Returns what ends it. */
  attach(viewport: Viewport): () => void
  /** Buttons beside those of the tools: undo, redo, restore, propagate, accept, reject. */
  bar(): ComponentChild
  /** The exam is left. */
  close(): void
}

export function startEditing(): Editing {
  return {
    tools: [],
    bindings: [],
    async send(gesture) {
      const exam = page.get().exam
      if (!exam) return
      const { lease } = await api.lease(exam.study.id)
      const answer = await api.edit(exam.study.id, lease, exam.study.version, gesture)
      await api.dropLease(exam.study.id, lease)
      setExam(({ study }) => ({ study: { ...study, ...answer.study, measures: answer.measures } }))
    },
    attach: () => () => undefined,
    bar: () => null,
    close: () => undefined,
  }
}
