/** English words of the editing. */

export const EDITING_EN = {} as const
