/**
 * Uses the page as a person does, in a browser: `node test/e2e.mjs URL FOLDER [PICTURES]`.
 *
 * Drops the files of a folder, waits for the numbers, looks at end-diastole and end-systole, plays, goes through
 * panels and keys. Prints what it saw as JSON; `wrong` is empty where all went well. PICTURES is a folder for pictures.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { openBrowser, openPage } from './browser.mjs'
import { picture as pictureIn, violations } from './looking.mjs'

const [url, folder, pictures] = process.argv.slice(2)
const PATIENCE = Number(process.env.PATIENCE_MS ?? 120000)
const seen = { wrong: [] }

const filesIn = (place) =>
  readdirSync(place).flatMap((name) => (statSync(join(place, name)).isDirectory() ? filesIn(join(place, name)) : [join(place, name)]))

/** Drops files as the hand does: with the events and the data of a drop. */
async function drop(page, place) {
  const files = filesIn(place).map((path) => ({ name: relative(place, path), bytes: readFileSync(path).toString('base64') }))
  await page.evaluate((all) => {
    const data = new DataTransfer()
    for (const { name, bytes } of all) {
      data.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name))
    }
    for (const kind of ['dragover', 'drop']) {
      document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }))
    }
  }, files)
}

const picture = (page, name) => pictureIn(page, name, pictures)
const clock = (page) => page.textContent('.clock span')

/** The colours of a view's picture, so that an empty one is noticed. */
const brightest = (page, index) =>
  page.evaluate((at) => {
    const canvas = document.querySelectorAll('.view canvas.picture')[at]
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let most = 0
    for (let each = 0; each < data.length; each += 4) most = Math.max(most, data[each])
    return most
  }, index)

const browser = await openBrowser()
try {
  const { page, wrongs } = await openPage(browser, url)
  page.setDefaultTimeout(PATIENCE)
  seen.address = page.url() // the token must be gone from it

  await page.waitForSelector('h1')
  if (filesIn(folder).length) await drop(page, folder)
  await page.waitForSelector('.studies .ef b')
  seen.listed = await page.textContent('.studies .ef b')
  await page.waitForTimeout(500)
  await picture(page, 'list')
  seen.axe = await violations(page, 'list')

  await page.click('.studies tbody th a')
  await page.waitForSelector('.view canvas.picture')
  seen.ejection = (await page.textContent('[data-testid="ejection-fraction"]')).trim()
  seen.phases = await page.$$eval('.views .phase', (marks) => marks.map((mark) => mark.textContent))
  await page.waitForTimeout(500)
  seen.brightest = [await brightest(page, 0), await brightest(page, 1), await brightest(page, 2)]
  await picture(page, 'exam')
  seen.axe.push(...(await violations(page, 'exam')))

  await page.keyboard.press('s')
  seen.endSystole = await clock(page)
  await page.keyboard.press('d')
  seen.endDiastole = await clock(page)
  await page.keyboard.press('ArrowRight')
  seen.next = await clock(page)
  await page.keyboard.press('p')
  const played = new Set()
  for (let look = 0; look < 40 && played.size < 2; look++) {
    await page.waitForTimeout(50)
    played.add(await clock(page))
  }
  await page.keyboard.press('p')
  seen.played = played.size

  for (const tab of await page.$$('[role="tab"]')) {
    await tab.click()
    await page.waitForTimeout(100)
    seen.axe.push(...(await violations(page, `panel ${await tab.textContent()}`, '.panel')))
  }
  for (const layout of ['1', '2', '4', '3']) {
    await page.keyboard.press(`Shift+Digit${layout}`)
    seen[`views${layout}`] = await page.$$eval('.view', (views) => views.length)
  }
  await page.keyboard.press('?')
  await page.waitForSelector('dialog[open]')
  seen.keys = await page.$$eval('dialog dt', (terms) => terms.length)
  seen.axe.push(...(await violations(page, 'keys', 'dialog')))
  await page.keyboard.press('Escape')
  await page.waitForSelector('dialog', { state: 'detached' })

  await page.click('button[lang="fr"]')
  await page.waitForSelector('#tab-numbers:has-text("Valeurs")')
  seen.language = await page.evaluate(() => document.documentElement.lang)
  await page.click('button[lang="en"]')

  // Light colours, and a tablet held upright
  await page.click('[aria-label="Light colours"]')
  await page.waitForTimeout(300)
  seen.axe.push(...(await violations(page, 'light')))
  await picture(page, 'light')
  await page.click('[aria-label="Dark colours"]')
  await page.setViewportSize({ width: 800, height: 1100 })
  await page.waitForTimeout(300)
  seen.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  await picture(page, 'tablet')
  seen.wrong.push(...wrongs)
} catch (error) {
  seen.wrong.push(String(error))
} finally {
  await browser.close()
}
process.stdout.write(`${JSON.stringify(seen)}\n`)
