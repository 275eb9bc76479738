/**
 * Does by hand what the page offers beside the editing of contours, with mouse and fingers: `node test/gestures.mjs URL FOLDER [PICTURES]`.
 *
 * The folder holds one film. Prints what was seen as JSON; PICTURES is a folder for pictures.
 */

import { join } from 'node:path'
import { openBrowser, openPage } from './browser.mjs'
import { begin, handles, held, open, settled } from './person.mjs'

const [url, folder, pictures] = process.argv.slice(2)
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000)
const [CALLIPER, SEGMENT] = [[255, 224, 138], [255, 217, 168]]
const seen = {}

const browser = await openBrowser()
const { page, wrongs } = await openPage(browser, url, { hasTouch: true })
const session = await page.context().newCDPSession(page)
await begin(page, 'M. Roy', PATIENCE_MS)
try {
  await page.goto(url)
  await page.waitForSelector('h1')
  const study = await dropFolder()
  seen.dropped = await held(page, `/studies/${study}`).then(({ name, state }) => ({ name, state }))
  await open(page, study)
  await page.keyboard.press('Shift+Digit1')
  seen.markers = { ED: await dragMarker('ED', 2, study), ES: await dragMarker('ES', -2, study) }
  seen.flag = await acceptFlag(study)
  seen.calliper = await measure()
  seen.segments = await divide(study)
  seen.pinch = await pinch()
  seen.lifted = await liftOne()
  seen.touched = await dragByFinger(study)
  seen.asked = await askAgain()
} catch (error) {
  seen.failed = String(error.stack ?? error)
  await picture('failed')
} finally {
  await browser.close()
}
console.log(JSON.stringify({ ...seen, wrongs }))

/** A folder from the desktop, dropped onto the list; the number of the exam that comes of it. */
async function dropFolder() {
  const data = { items: [], files: [folder], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data })
  await page.waitForSelector('.studies .ef b')
  await picture('dropped')
  const { studies } = await held(page, '/studies')
  return studies[0].id
}

async function phasesOf(study) {
  return (await held(page, `/studies/${study}`)).images[0].phases
}

/** Takes a marker by its flag and lets go so many frames on. */
async function dragMarker(phase, by, study) {
  const before = (await phasesOf(study))[phase]
  const plot = await page.locator('.curves svg').boundingBox()
  const flag = await page.locator(`.marker.${phase} .flag`).boundingBox()
  const frames = await page.locator(`.marker.${phase}`).getAttribute('aria-valuemax')
  const step = (plot.width - 54) / (Number(frames) - 1) // between the margins of the plot
  const [x, y] = [flag.x + flag.width / 2, flag.y + flag.height / 2]
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + (by * step) / 2, y + 30, { steps: 4 })
  await page.mouse.move(x + by * step, y + 30, { steps: 4 })
  const [shown, clock] = [await page.locator(`.marker.${phase}`).getAttribute('aria-valuenow'), await page.textContent('.clock span')]
  await picture(`marker-${phase}`)
  await page.mouse.up()
  await settled(page)
  return { before, shown: Number(shown) - 1, clock, after: (await phasesOf(study))[phase] }
}

async function acceptFlag(study) {
  await page.click('#tab-flags')
  const first = page.locator('.flags li').first()
  await first.getByRole('button', { name: 'Accept' }).click()
  await first.locator('input').fill('seen before')
  await first.locator('form button').click()
  await page.waitForSelector('.flags li.accepted')
  await picture('accepted')
  const shown = await page.locator('.flags li.accepted').first().innerText()
  const { accepted } = await held(page, `/studies/${study}`)
  return { shown, accepted: accepted.map(({ by, reason }) => ({ by, reason })) }
}

/** Pixels of a view that have a colour. */
function marked([red, green, blue]) {
  return page.evaluate((colour) => {
    const canvas = document.querySelector('.view canvas.picture')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let count = 0
    for (let at = 0; at < data.length; at += 4) if (colour.every((each, side) => Math.abs(data[at + side] - each) < 12)) count++
    return count
  }, [red, green, blue])
}

async function said() {
  return (await page.locator('.said').count()) ? page.locator('.said').innerText() : null
}

/** One distance within the image, and one that ends beside it. */
async function measure() {
  const box = await page.locator('.view').first().boundingBox()
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
  const draw = async (across) => {
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + across, y - 20, { steps: 3 })
    await page.mouse.up()
    await page.waitForTimeout(100)
  }
  await page.keyboard.press('c')
  const none = await marked(CALLIPER)
  await draw(60)
  const [within, wordsWithin] = [await marked(CALLIPER), await said()]
  await picture('calliper')
  await draw(box.width / 2 - 4)
  const [beside, wordsBeside] = [await marked(CALLIPER), await said()]
  await page.keyboard.press('Delete')
  await page.waitForTimeout(100)
  return { none, within, wordsWithin, beside, wordsBeside, deleted: await marked(CALLIPER) }
}

function touch(type, ...points) {
  return session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y, id], at) => ({ x, y, id: id ?? at })) })
}

async function middle() {
  const box = await page.locator('.view').first().boundingBox()
  return [box.x + box.width / 2, box.y + box.height / 2]
}

function corner() {
  return page.locator('.corner.bottom.left').first().innerText()
}

/** Switches the layer of the wall's segments on, and off again. */
async function divide(study) {
  const layer = page.getByRole('button', { name: 'Segments', exact: true })
  const counts = [await marked(SEGMENT)]
  await layer.click()
  await page.waitForResponse((answer) => answer.url().includes('segments.json'))
  await page.waitForTimeout(300)
  counts.push(await marked(SEGMENT))
  await picture('segments')
  await layer.click()
  await page.waitForTimeout(100)
  counts.push(await marked(SEGMENT))
  const { images } = await held(page, `/studies/${study}/export/segments.json`)
  return { counts, numbers: Object.values(images)[0].map(([plane]) => plane.map(({ number }) => number)) }
}

/** Two fingers go apart: the image grows. */
async function pinch() {
  await page.keyboard.press('w')
  const [x, y] = await middle()
  const before = await corner()
  await touch('touchStart', [x - 40, y])
  await touch('touchStart', [x - 40, y], [x + 40, y])
  for (let step = 1; step <= 5; step++) await touch('touchMove', [x - 40 - 12 * step, y], [x + 40 + 12 * step, y])
  await touch('touchEnd')
  await page.waitForTimeout(100)
  return { before, after: await corner() }
}

/** Of two fingers one is lifted, and the other goes on: that is no gesture of the tool. */
async function liftOne() {
  const [x, y] = await middle()
  const before = await corner()
  await touch('touchStart', [x, y])
  await touch('touchStart', [x, y], [x + 80, y])
  await touch('touchEnd', [x + 80, y, 1])
  for (let step = 1; step <= 5; step++) await touch('touchMove', [x, y - 20 * step])
  await touch('touchEnd')
  await page.waitForTimeout(100)
  return { before, after: await corner() }
}

/** A finger on a control point moves it; where a second finger comes, nothing was moved. */
async function dragByFinger(study) {
  await page.keyboard.press('v')
  await page.keyboard.press('r')
  await page.waitForTimeout(200)
  const undo = async () => (await held(page, `/studies/${study}`)).undo
  const counts = [await undo()]
  for (const isBroken of [true, false]) {
    const start = (await handles(page)).reduce((best, each) => (each.x > best.x ? each : best))
    await touch('touchStart', [start.x, start.y])
    for (let step = 1; step <= 4; step++) await touch('touchMove', [start.x - 6 * step, start.y])
    if (isBroken) await touch('touchStart', [start.x - 24, start.y], [start.x - 150, start.y])
    await touch('touchEnd')
    await settled(page)
    counts.push(await undo())
  }
  await picture('touched')
  return counts
}

/** What the form says of the exam before it is analysed again. */
async function askAgain() {
  await page.click('#tab-about')
  await page.getByRole('button', { name: 'Analyse again' }).click()
  await page.waitForSelector('dialog form')
  const asked = await page.$$eval('dialog form label', (labels) =>
    Object.fromEntries(labels.map((label) => [label.querySelector('span').textContent, label.querySelector('input, select').value])),
  )
  await picture('asked')
  await page.keyboard.press('Escape')
  return asked
}

async function picture(name) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) })
}
