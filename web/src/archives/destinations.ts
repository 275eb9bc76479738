/** Destinations as they are typed, and what is wrong about them, field by field. */

import type { Destination } from '../api/types'
import type { Key } from '../words'

export const NEW_DESTINATION: Destination = {
  name: '',
  kind: 'dicom',
  host: '',
  port: 104,
  ae_title: '',
  own_ae_title: 'CARDIOTRACE',
  url: '',
  user: '',
}

export const addressOf = ({ kind, url, ae_title, host, port }: Destination): string => (kind === 'dicomweb' ? url : `${ae_title} @ ${host}:${port}`)

const NAME = /^[\p{L}\p{N}_ .-]{1,64}$/u
const TITLE = /^[ -[\]-~]{1,16}$/

function isRoot(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.search
}

export type Wrongs = Partial<Record<'name' | 'host' | 'port' | 'ae_title' | 'own_ae_title' | 'url', Key>>

/** What is wrong, before the server is asked, which has the last word. */
export function wrongsIn(given: Destination, others: readonly Destination[]): Wrongs {
  const wrongs: Wrongs = {}
  if (!NAME.test(given.name)) wrongs.name = 'wrong_name'
  else if (others.some(({ name }) => name === given.name)) wrongs.name = 'wrong_twice'
  if (given.kind === 'dicomweb') {
    if (!isRoot(given.url)) wrongs.url = 'wrong_url'
    return wrongs
  }
  if (!given.host.trim()) wrongs.host = 'wrong_host'
  if (!Number.isInteger(given.port) || given.port < 1 || given.port > 65535) wrongs.port = 'wrong_port'
  for (const field of ['ae_title', 'own_ae_title'] as const) if (!TITLE.test(given[field]) || !given[field].trim()) wrongs[field] = 'wrong_ae_title'
  return wrongs
}

/** What is sent: fields that its kind does not use are left as they are; an empty file is none. */
export function sentOf({ password_file, ...given }: Destination): Destination {
  return password_file?.trim() ? { ...given, password_file: password_file.trim() } : given
}
