/** The editing of the exam that is open. */

import { startEditing, type Editing } from './index'

let session: Editing | null = null

/** Of the exam that is open; begun when it is first asked for. */
export const editing = (): Editing => (session ??= startEditing())

export function endEditing(): void {
  session?.close()
  session = null
}
