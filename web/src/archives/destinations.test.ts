import { expect, test } from 'vitest'
import { addressOf, NEW_DESTINATION, sentOf, wrongsIn } from './destinations'

const pacs = { ...NEW_DESTINATION, name: 'pacs', host: '10.0.0.9', ae_title: 'PACS' }
const web = { ...NEW_DESTINATION, name: 'web', kind: 'dicomweb' as const, url: 'https://pacs.example/dicom-web' }

test('a destination is asked for what its kind needs, and for nothing else', () => {
  expect([wrongsIn(pacs, []), wrongsIn(web, [pacs])]).toEqual([{}, {}])
  expect(Object.keys(wrongsIn(NEW_DESTINATION, []))).toEqual(['name', 'host', 'ae_title'])
  expect(Object.keys(wrongsIn({ ...web, url: '' }, []))).toEqual(['url'])
})

test('each field is told by itself', () => {
  expect(wrongsIn(pacs, [pacs]).name).toBe('wrong_twice')
  expect(wrongsIn({ ...pacs, name: 'a/b' }, []).name).toBe('wrong_name')
  for (const port of [0, 65536, 10.5, NaN]) expect(wrongsIn({ ...pacs, port }, []).port).toBe('wrong_port')
  for (const ae_title of ['', '   ', 'SEVENTEEN LETTERS', 'A\\B']) expect(wrongsIn({ ...pacs, ae_title }, []).ae_title).toBe('wrong_ae_title')
  for (const url of ['ftp://x', 'https://me:secret@pacs', 'https://pacs?x=1', 'pacs']) expect(wrongsIn({ ...web, url }, []).url).toBe('wrong_url')
})

test('an address in words, and no file where none is named', () => {
  expect([addressOf(pacs), addressOf(web)]).toEqual(['PACS @ 10.0.0.9:104', 'https://pacs.example/dicom-web'])
  expect('password_file' in sentOf({ ...web, password_file: ' ' })).toBe(false)
  expect(sentOf({ ...web, password_file: 's', token_file: 't' })).toMatchObject({ password_file: 's', token_file: 't' })
})
