/** How grave a doubt is: a sign with a shape of its own, so that colour alone says nothing. */

import type { Flag, Grade } from '../api/types'
import { useWords, type Key } from '../words'

const ORDER: readonly Grade[] = ['not usable', 'look twice', 'note']

export const byGravity = (flags: readonly Flag[]): Flag[] =>
  [...flags].sort((first, second) => ORDER.indexOf(first.grade) - ORDER.indexOf(second.grade))

export const gravest = (flags: readonly Flag[]): Grade | null => ORDER.find((grade) => flags.some((flag) => flag.grade === grade)) ?? null

const SIGNS: Record<Grade, string> = {
  'not usable': 'M12 2l10 10-10 10L2 12zM12 7v6M12 16.500v.5',
  'look twice': 'M12 3l10 18H2zM12 10v5M12 17.500v.5',
  note: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 11v5M12 7.500v.5',
}

export const gradeKey = (grade: Grade): Key => `grade_${grade.replace(' ', '_')}` as Key

export function GradeMark({ grade, title = '' }: { grade: Grade; title?: string }) {
  const say = useWords()
  const name = say(gradeKey(grade))
  return (
    <span class={`grade ${grade.replace(' ', '-')}`} title={title || name}>
      <svg class="icon" viewBox="0 0 24 24" role="img" aria-label={name}>
        <path d={SIGNS[grade]} />
      </svg>
    </span>
  )
}
