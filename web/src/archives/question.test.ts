import { expect, test } from 'vitest'
import { datesOf, NOTHING_TYPED, spoken, wrongIn } from './question'

const typed = (more: Partial<typeof NOTHING_TYPED>) => ({ ...NOTHING_TYPED, ...more })

test('days are asked for as DICOM has them', () => {
  expect(datesOf(typed({}))).toBe('')
  expect(datesOf(typed({ from: '2026-01-02', to: '2026-01-02' }))).toBe('20260102')
  expect(datesOf(typed({ from: '2026-01-02' }))).toBe('20260102-')
  expect(datesOf(typed({ to: '2026-03-04' }))).toBe('-20260304')
  expect(datesOf(typed({ from: '2026-01-02', to: '2026-03-04' }))).toBe('20260102-20260304')
})

test('nothing at all is not asked for, nor days that end before they begin', () => {
  expect(wrongIn(typed({ modality: 'US' }))).toEqual({ patient_name: 'wrong_nothing' })
  expect(wrongIn(typed({ from: '2026-01-02', to: '2025-01-02' }))).toEqual({ to: 'wrong_dates' })
  expect(wrongIn(typed({ patient_id: '7' }))).toEqual({})
})

test('a name is written without the signs of DICOM', () => {
  expect(['Roy^Anna^^Dr', 'Müller^Jörg=山田', '', 'plain'].map(spoken)).toEqual(['Roy Anna Dr', 'Müller Jörg', '', 'plain'])
})
