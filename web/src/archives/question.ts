/** What an archive is asked for. */

import type { Key } from '../words'

export interface Typed {
  patient_name: string
  patient_id: string
  from: string
  to: string
  modality: string
}

export const NOTHING_TYPED: Typed = { patient_name: '', patient_id: '', from: '', to: '', modality: '' }

const plain = (day: string): string => day.replace(/-/g, '')

/** Days as DICOM has them: one day, or a range that may be open at either end. */
export function datesOf({ from, to }: Typed): string {
  if (from && from === to) return plain(from)
  return from || to ? `${plain(from)}-${plain(to)}` : ''
}

export function wrongIn(typed: Typed): Partial<Record<'patient_name' | 'to', Key>> {
  if (typed.from && typed.to && typed.from > typed.to) return { to: 'wrong_dates' }
  const isNothing = !typed.patient_name.trim() && !typed.patient_id.trim() && !typed.from && !typed.to
  return isNothing ? { patient_name: 'wrong_nothing' } : {}
}

/** A name as DICOM writes it ("Roy^Anna=..."), in words: what stands in Latin letters, without the signs between. */
export const spoken = (name: string): string => name.split('=', 1)[0]!.replace(/\^+/g, ' ').trim()
