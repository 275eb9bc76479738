/**
 * Makes a reader study, reads it as two people, and looks at how they agree: `node test/readers.mjs URL`.
 *
 * The server has analysed exams. Prints what it saw as JSON; `wrong` is empty where all went well.
 */

import { openBrowser, openPage } from './browser.mjs'
import { allRound, picture, violations } from './looking.mjs'

const [url] = process.argv.slice(2)
const PATIENCE = Number(process.env.PATIENCE_MS ?? 120000)
const seen = { wrong: [], axe: [], readings: [] }

const browser = await openBrowser()
try {
  const { page, wrongs } = await openPage(browser, url)
  page.setDefaultTimeout(PATIENCE)
  const field = (label) => page.getByLabel(label, { exact: true })

  /** Who works here, said in the bar at the top. */
  const call = async (name) => {
    await page.click('.topbar [title="Who works here?"]')
    await page.fill('dialog input', name)
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog', { state: 'detached' })
  }

  /** An ellipse filled by the brush, a share of the view wide. */
  const fill = async (view, width) => {
    const { x, y, width: across, height: down } = await page.locator('.view').nth(view).boundingBox()
    const at = (right, below) => [x + across * right, y + down * below]
    await page.mouse.move(...at(0.5 - width, 0.3))
    await page.mouse.down()
    for (let row = 0; row <= 8; row++) {
      const side = row % 2 ? 1 : -1
      await page.mouse.move(...at(0.5 + side * width, 0.3 + row * 0.05), { steps: 4 })
    }
    await page.mouse.up()
  }
  const settled = () => page.waitForFunction(() => document.querySelector('.standing')?.dataset.waiting === '0')

  await page.click('nav a:has-text("Reader studies")')
  await page.click('a:has-text("New reader study")')
  await page.waitForSelector('[name="exam"]')
  await page.click('button:has-text("Make")')
  seen.missing = await page.$$eval('.wrong', (lines) => lines.map((line) => line.textContent))
  await field('Name of the study').fill('Agreement')
  await field('Readers, one name a line').fill('A. Roy\nB. Lee')
  await field('All that are listed').check()
  const made = await allRound(page, 'new-readers')
  await page.click('button:has-text("Make")')
  await page.waitForSelector('h1:has-text("Agreement")')
  seen.stranger = await page.textContent('.read-on')

  for (const [name, width] of [['A. Roy', 0.06], ['B. Lee', 0.08]]) {
    await call(name)
    await page.click('main header a.button.strong')
    await page.waitForSelector('.view canvas.picture')
    if (seen.readings.length === 0) await page.waitForTimeout(300)
    const reading = {
      heading: await page.textContent('.exam-name b'),
      tabs: await page.$$eval('[role="tab"]', (tabs) => tabs.length),
      flags: await page.$$eval('.flag-strip', (strips) => strips.length),
      canEnd: await page.isEnabled('.topbar button.strong'),
      labels: await page.evaluate(() => [...document.querySelectorAll('.view canvas.labels')].some((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value, at) => at % 4 === 3 && value > 0))),
    }
    await page.keyboard.press('b')
    for (let times = 0; times < 3; times++) await page.keyboard.press(']')
    for (const view of [0, 1]) {
      await fill(view, width + 0.02 * (1 - view))
      await settled()
    }
    await page.waitForFunction(() => !document.querySelector('.topbar button.strong').disabled)
    reading.ejection = await page.textContent('.panel')
    if (seen.readings.length === 0) {
      seen.axe.push(...(await violations(page, 'reading')))
      await picture(page, 'reading')
    }
    await page.click('.topbar button.strong')
    await page.click('dialog button.danger')
    await page.waitForSelector('.sheet h1')
    seen.readings.push(reading)
  }
  await page.waitForSelector('main header .good')
  seen.over = await page.evaluate(() => location.hash)
  await page.click('button:has-text("Compare")')
  await page.waitForSelector('.agreement tbody tr')
  seen.outlines = await page.$$eval('.agreement tbody tr', (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)))
  seen.points = await page.$$eval('.agreement-plot circle', (points) => points.length)
  const download = page.waitForEvent('download')
  await page.click('a:has-text("Table, CSV")')
  seen.table = (await download).suggestedFilename()
  const all = await allRound(page, 'reader-study')
  seen.axe.push(...made.axe, ...all.axe)
  seen.overflow = Math.max(made.overflow, all.overflow)
  await page.click('nav a:has-text("Reader studies")')
  await page.waitForSelector('.plain tbody tr')
  seen.listed = await page.textContent('.plain tbody .how-far')
  seen.axe.push(...(await violations(page, 'readers')))
  await picture(page, 'readers')
  seen.kept = await page.evaluate(async () => (await fetch('api/v1/reader-studies')).json())
  await page.click('.plain tbody th a')
  await page.click('[aria-label="Delete this reader study"]')
  await page.click('dialog button.danger')
  await page.waitForSelector('.empty')
  seen.deleted = await page.evaluate(() => location.hash)
  seen.wrong.push(...wrongs)
} catch (error) {
  seen.wrong.push(String(error))
} finally {
  await browser.close()
}
process.stdout.write(`${JSON.stringify(seen)}\n`)
