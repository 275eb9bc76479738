/**
 * Uses the page of archives as a person does: `node test/archives.mjs URL PORT WEB`.
 *
 * PORT is that of the application's own DICOM node, WEB the address of an archive by DICOMweb that holds one study.
 * Prints what it saw as JSON; `wrong` is empty where all went well.
 */

import { openBrowser, openPage } from './browser.mjs'
import { allRound, picture, violations } from './looking.mjs'

const [url, port, web] = process.argv.slice(2)
const PATIENCE = Number(process.env.PATIENCE_MS ?? 120000)
const seen = { wrong: [], axe: [] }

const browser = await openBrowser()
try {
  const { page, wrongs } = await openPage(browser, url)
  page.setDefaultTimeout(PATIENCE)
  const field = (label, within = 'main') => page.locator(within).getByLabel(label, { exact: true })
  const section = (title) => page.locator('main section', { has: page.locator(`h2:has-text("${title}")`) })
  const said = (row) => page.locator(`tr:has(th:text-is("${row}")) [role="status"]`)

  await page.click('nav a:has-text("Archives")')
  await page.waitForSelector('.facts')
  seen.node = await page.$$eval('.facts dd', (parts) => parts.map((part) => part.textContent))

  const add = async (values) => {
    await section('Destinations').getByRole('button', { name: 'Add' }).click()
    await page.waitForSelector('dialog[open]')
    for (const [label, value] of Object.entries(values)) {
      if (label === 'Spoken to by') await field(label, 'dialog').selectOption(value)
      else await field(label, 'dialog').fill(value)
    }
  }
  await add({})
  await page.click('dialog button.strong')
  seen.missing = await page.$$eval('dialog [aria-invalid]', (inputs) => inputs.map((input) => document.querySelector(`label[for="${input.id}"]`).textContent))
  seen.axe.push(...(await violations(page, 'destination', 'dialog')))
  await picture(page, 'destination')
  await page.keyboard.press('Escape')
  await page.waitForSelector('dialog', { state: 'detached' })

  for (const values of [
    { Name: 'web', 'Spoken to by': 'dicomweb', 'Address of the services': web },
    { Name: 'own', Host: '127.0.0.1', Port: port, 'AE title of the archive': 'CARDIOTRACE' },
    { Name: 'nobody', Host: '127.0.0.1', Port: '9', 'AE title of the archive': 'NOBODY' },
  ]) {
    await add(values)
    await page.click('dialog button.strong')
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.click(`[aria-label="Test ${values.Name}"]`)
  }
  for (const name of ['web', 'own']) await said(name).filter({ hasText: 'answers' }).waitFor()
  seen.nobody = await said('nobody').filter({ hasText: '127.0.0.1:9' }).textContent()
  await page.click('[aria-label="Remove nobody"]')
  await page.click('dialog button.danger')
  await page.waitForSelector('[aria-label="Remove nobody"]', { state: 'detached' })

  const search = section('Search an archive')
  await search.getByRole('button', { name: 'Search' }).click()
  seen.nothing = await search.locator('.field .wrong').textContent()
  await field('Name of the patient').fill('Nobody')
  await search.getByRole('button', { name: 'Search' }).click()
  seen.none = await search.locator('p[role="status"]').filter({ hasText: 'no such' }).textContent()
  await field('Name of the patient').fill('M*')
  await search.getByRole('button', { name: 'Search' }).click()
  await search.getByRole('button', { name: 'Fetch' }).click()
  await search.locator('a.good').waitFor()
  seen.fetched = await search.locator('tbody tr').textContent()

  const rules = section('Rules')
  await rules.getByRole('button', { name: 'Remove rule 1' }).click()
  await rules.getByRole('button', { name: 'New rule' }).click()
  await field('Name', '.rule').fill('echo')
  await rules.getByLabel('US', { exact: true }).check()
  await rules.getByLabel('web', { exact: true }).check()
  for (const form of ['outlines (SEG)', 'measures (SR)', 'report, pictures']) await rules.getByLabel(form, { exact: true }).uncheck()
  await rules.getByRole('button', { name: 'Save' }).click()
  seen.unsent = await rules.locator('.boxes .wrong').textContent()
  await rules.getByLabel('report, PDF', { exact: true }).check()
  seen.json = JSON.parse(await field('The same as JSON').inputValue())
  await field('The same as JSON').fill('[{"colour": "red"}]')
  seen.noRule = await rules.locator('.json .wrong').textContent()
  await field('The same as JSON').fill(JSON.stringify([{ ...seen.json[0], name: 'films' }]))
  seen.renamed = await field('Name', '.rule').inputValue()
  await rules.getByRole('button', { name: 'Save' }).click()
  await rules.locator('.good').filter({ hasText: 'saved' }).waitFor()
  const all = await allRound(page, 'archives')
  seen.axe.push(...all.axe)
  seen.overflow = all.overflow

  await page.click('[aria-label="Remove web"]') // the rule needs it
  await page.click('dialog button.danger')
  seen.needed = await said('web').filter({ hasText: 'web' }).textContent()
  // An archive that does not answer, and settings that make no sense: both were told on the page.
  const meant = ['status of 502', 'status of 422']
  seen.refused = wrongs.filter((line) => meant.some((status) => line.includes(status))).length
  seen.wrong.push(...wrongs.filter((line) => !meant.some((status) => line.includes(status))))
} catch (error) {
  seen.wrong.push(String(error))
} finally {
  await browser.close()
}
process.stdout.write(`${JSON.stringify(seen)}\n`)
