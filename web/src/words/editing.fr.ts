/** French words of the editing. */

import type { EDITING_EN } from './editing.en'

export const EDITING_FR: Record<keyof typeof EDITING_EN, string> = {}
