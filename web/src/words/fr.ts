/** French. Words of the editing stand in `editing.fr.ts`. */

import { EDITING_FR } from './editing.fr'
import type { Key } from './index'

export const FR: Record<Key, string> = {
  title: 'CardioTrace',
  ...EDITING_FR,
}
