/** English. Words of the editing stand in `editing.en.ts`. */

import { EDITING_EN } from './editing.en'

export const EN = {
  title: 'CardioTrace',
  ...EDITING_EN,
} as const
