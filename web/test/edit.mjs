/**
 * Edits an exam in a real browser as a person does, and says what was seen: one JSON object.
 *
 * node test/edit.mjs URL STUDY [FOLDER]: the address with its token, the exam, a folder for pictures.
 */

import { openBrowser, openPage } from './browser.mjs'
import { begin, handles as handlesOf, held, open as openStudy, settled as settledOn } from './person.mjs'

const [url, study, folder] = process.argv.slice(2)
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000)
const seen = {}

const browser = await openBrowser()
const { page, wrongs } = await openPage(browser, url)
await begin(page, 'M. Roy', PATIENCE_MS)

try {
  await page.goto(url)
  await open()
  await page.keyboard.press('v')
  await handles()

  const before = await numbers()
  const drag = await dragHandle()
  await settled()
  const dragged = await numbers()
  seen.drag = { ...drag, before, after: dragged }
  await picture('edited')

  await page.keyboard.press('Control+z')
  await settled()
  seen.undone = await numbers()
  await page.keyboard.press('Control+Shift+z')
  await settled()
  seen.redone = await numbers()

  seen.added = await addPoint()
  seen.pushed = await stroke('f', 3)
  seen.brushed = await stroke('b', 0)
  seen.judged = await judge()
  seen.signed = await sign()

  const last = await numbers()
  await page.reload()
  await open()
  await page.waitForSelector('.mark')
  seen.reloaded = { last, now: await numbers(), shown: await shownEjection() }
  seen.journal = await held(page, `/studies/${study}/edits`)
  seen.unsent = await withoutServer()
  seen.other = await besideAnother()
  seen.later = (await held(page, `/studies/${study}`)).signed
} catch (error) {
  seen.failed = String(error.stack ?? error)
  await picture('failed')
} finally {
  await browser.close()
}
console.log(JSON.stringify({ ...seen, wrongs }))

/** The exam, with the view of end-diastole in hand: the film beside stills is not what is measured. */
async function open(on = page) {
  await openStudy(on, study)
  await on.locator('.view').first().focus()
}

function settled() {
  return settledOn(page)
}

function handles() {
  return handlesOf(page)
}

/** What the server holds. */
async function numbers() {
  const found = await held(page, `/studies/${study}`)
  const { version, undo, redo, ejection_fraction } = found
  return { version, undo, redo, ejection: ejection_fraction?.value ?? null }
}

function shownEjection() {
  return page.locator('[data-testid=ejection-fraction]').innerText()
}

/** Drags the handle farthest to the right inwards; says what the page showed before the hand let go. */
async function dragHandle() {
  const found = await handles()
  const start = found.reduce((best, each) => (each.x > best.x ? each : best))
  const shown = await shownEjection()
  await page.mouse.move(start.x, start.y)
  await page.mouse.down()
  for (let step = 1; step <= 10; step++) await page.mouse.move(start.x - 3 * step, start.y)
  await page.waitForSelector('[data-testid=ejection-fraction].provisional')
  const provisional = await shownEjection()
  await picture('dragging')
  await page.mouse.up()
  return { shown, provisional }
}

/** Alt-click on the curve between two handles. */
async function addPoint() {
  await page.keyboard.press('v')
  const found = await handles()
  const gaps = found.map((each, at) => {
    const next = found[(at + 1) % found.length]
    return { x: (each.x + next.x) / 2, y: (each.y + next.y) / 2, long: Math.hypot(next.x - each.x, next.y - each.y) }
  })
  // Above the base: there two outlines lie on each other, and a click takes hold of either.
  const rows = found.map(({ y }) => y)
  const base = Math.max(...rows) - (Math.max(...rows) - Math.min(...rows)) / 4
  const widest = gaps.filter(({ y }) => y < base).reduce((best, gap) => (gap.long > best.long ? gap : best))
  await page.keyboard.down('Alt')
  await page.mouse.click(widest.x, widest.y)
  await page.keyboard.up('Alt')
  await settled()
  const more = (await handles()).length
  // Without Alt: two clicks in one place take it away again.
  await page.mouse.dblclick(widest.x, widest.y)
  await settled()
  return { before: found.length, more, after: (await handles()).length }
}

/** A stroke with a tool from a handle, downwards. */
async function stroke(key, inwards) {
  await page.keyboard.press('v')
  const found = await handles()
  const start = found.reduce((best, each) => (each.x > best.x ? each : best))
  const before = await numbers()
  await page.keyboard.press(key)
  await page.mouse.move(start.x - inwards, start.y)
  await page.mouse.down()
  for (let step = 1; step <= 6; step++) await page.mouse.move(start.x - inwards - step, start.y + 3 * step)
  await picture(key === 'b' ? 'brush' : 'push')
  await page.mouse.up()
  await settled()
  return { before, after: await numbers() }
}

async function judge() {
  await page.keyboard.press('a')
  await settled()
  return page.locator('.mark.accepted').count()
}

/** Signs the exam as it is now. */
async function sign() {
  await page.click('#tab-report')
  await page.getByRole('button', { name: 'Sign', exact: true }).click()
  const shown = await page.locator('#panel code').first().getAttribute('title')
  const { signed } = await held(page, `/studies/${study}`)
  await picture('signed')
  await page.click('#tab-numbers')
  return { shown, kept: signed }
}

/** The network is cut: a gesture waits and is sent when it is back. */
async function withoutServer() {
  const before = await numbers()
  await page.keyboard.press('v')
  await page.route('**/edits', (route) => route.abort())
  const found = await handles()
  const start = found.reduce((best, each) => (each.x > best.x ? each : best))
  await page.mouse.move(start.x, start.y)
  await page.mouse.down()
  await page.mouse.move(start.x + 6, start.y, { steps: 3 })
  await page.mouse.up()
  await page.waitForSelector('[data-standing=offline][data-waiting="1"]')
  const words = await page.locator('.standing').innerText()
  await picture('offline')
  await page.reload()
  await page.unroute('**/edits')
  await open()
  await page.waitForSelector('[data-standing=left][data-waiting="1"]')
  await page.locator('.standing button').first().click()
  await settled()
  return { words, before, after: await numbers() }
}

/** Another person holds the exam: nothing can be changed, and they are named. */
async function besideAnother() {
  const before = await numbers()
  const { page: second } = await openPage(browser, url)
  await begin(second, 'L. Petit', PATIENCE_MS)
  await open(second)
  await second.waitForSelector('[data-standing=other]')
  await second.keyboard.press('a')
  await second.waitForTimeout(500)
  return { words: await second.locator('.standing').innerText(), before, after: await numbers() }
}

async function picture(name) {
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` })
}
