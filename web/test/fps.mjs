/**
 * Measures how smoothly two films of 256 x 256 pixels with labels and contours play: `npm run fps`, after a build.
 *
 * The server is stood in for by answers made up here, so that nothing else works meanwhile. On a busy machine frames a
 * second say little; the processor's time for a pair of frames, of all processes of the browser together, still does:
 * below 16.7 ms one core can show 60 a second.
 */

import { createServer } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { extname, join, normalize } from 'node:path'
import { openBrowser, openPage } from './browser.mjs'

const STATIC = fileURLToPath(new URL('../../src/cardiotrace/server/static', import.meta.url))
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const [FRAMES, SIDE, SECONDS] = [60, 256, 5]
const TIMES = Array.from({ length: FRAMES }, (_, index) => (index * 1000) / 60)

/** Processor time of this process's descendants by what they are, ms, where /proc tells it. */
function processorTimes() {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
      return [{ pid: Number(pid), parent: Number(words[1]), ticks: Number(words[11]) + Number(words[12]) }]
    } catch {
      return [] // it ended
    }
  })
  const own = new Set([process.pid])
  for (let count = 0; count < own.size; ) {
    count = own.size // until no child of a child is missing
    for (const { pid, parent } of all) if (own.has(parent)) own.add(pid)
  }
  const found = {}
  for (const { pid, ticks } of all) {
    if (!own.has(pid) || pid === process.pid) continue
    const kind = /--type=([\w-]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))?.[1] ?? 'browser'
    found[kind] = (found[kind] ?? 0) + ticks * 10
  }
  return found
}

function container(header, bytes) {
  let text = JSON.stringify(header)
  while ((8 + text.length) % 8) text += ' '
  const start = Buffer.alloc(8)
  start.write('CTA1')
  start.writeUInt32LE(text.length, 4)
  return Buffer.concat([start, Buffer.from(text), bytes])
}

/** A ring that beats in a grey that flickers. */
function film() {
  const [frames, labels] = [Buffer.alloc(FRAMES * SIDE * SIDE), Buffer.alloc(FRAMES * SIDE * SIDE)]
  const planes = []
  for (let frame = 0; frame < FRAMES; frame++) {
    const reach = 60 + 20 * Math.cos((2 * Math.PI * frame) / FRAMES)
    for (let at = 0; at < SIDE * SIDE; at++) {
      const distance = Math.hypot(Math.floor(at / SIDE) - 128, (at % SIDE) - 128)
      labels[frame * SIDE * SIDE + at] = distance < reach ? 1 : distance < reach + 15 ? 2 : 0
      frames[frame * SIDE * SIDE + at] = (at * 7 + frame * 31) % 256
    }
    const ring = (radius) =>
      Array.from({ length: 24 }, (_, index) => [128 + radius * Math.sin((index * Math.PI) / 12), 128 + radius * Math.cos((index * Math.PI) / 12)])
    planes.push([{ contours: { lv: ring(reach), epi: ring(reach + 15) }, axis: null, disks: null, edited: false, verdict: null }])
  }
  const shape = [FRAMES, 1, SIDE, SIDE]
  return {
    frames: container({ shape, dtype: 'uint8', window: [0, 255], spacing_mm: [0.5, 0.5], slice_mm: null, times_ms: TIMES, heart_rate: null }, frames),
    labels: container({ shape, dtype: 'uint8', scheme: { LV: 1, MYO: 2 } }, labels),
    traces: JSON.stringify({ planes }),
  }
}

const image = (name) => ({
  name,
  view: name,
  modality: 'US',
  frames: FRAMES,
  slices: 1,
  height: SIDE,
  width: SIDE,
  spacing_mm: [0.5, 0.5],
  slice_mm: null,
  times_ms: TIMES,
  phases: { ED: 0, ES: FRAMES / 2 },
  structures: ['LV', 'MYO'],
  contours: ['lv', 'epi'],
})
const curve = (name) => ({ image: name, view: name, times_ms: TIMES, left_ventricular_volume_ml: TIMES.map((time) => 100 + 40 * Math.cos(time / 159)) })
const measures = { version: 3, exam: 'fps', flags: [], quantities: [], key_frames: [], curves: ['A4C', 'A2C'].map(curve), beats: [], segments: [], provenance: {} }
const study = { id: 's', name: 'fps', created: '2026-01-01T00:00:00Z', state: 'done', progress: null, error: null, job: null, version: 1, signed: null, ejection_fraction: null, grade: null, views: ['A4C', 'A2C'], origin: 'demo', images: ['A4C', 'A2C'].map(image), measures, automatic: measures, undo: 0, redo: 0, lease: null, edits: 0 }
const made = film()

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://here')
  if (pathname === '/api/v1/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n')
    return
  }
  if (pathname.startsWith('/api/v1')) {
    const what = pathname.split('/').pop()
    const body = made[what] ?? JSON.stringify(what === 'studies' ? { total: 1, studies: [study] } : study)
    response.writeHead(200).end(body)
    return
  }
  try {
    const path = join(STATIC, normalize(pathname === '/' ? '/index.html' : pathname))
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(path))
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

const browser = await openBrowser()
try {
  const { page, wrongs } = await openPage(browser, `http://127.0.0.1:${server.address().port}/#/studies/s`)
  await page.waitForSelector('.view canvas.picture')
  await page.keyboard.press('Shift+Digit2')
  await page.waitForTimeout(500)
  await page.evaluate(() => {
    window.pictures = 0
    const draw = CanvasRenderingContext2D.prototype.drawImage
    CanvasRenderingContext2D.prototype.drawImage = function (...words) {
      if (this.canvas.className === 'picture') window.pictures++
      return draw.apply(this, words)
    }
  })
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const metric = async (name) => (await session.send('Performance.getMetrics')).metrics.find((each) => each.name === name).value
  await page.keyboard.press('p')
  await page.waitForTimeout(300)
  const [before, script, busy, from] = [await page.evaluate(() => window.pictures), await metric('ScriptDuration'), processorTimes(), performance.now()]
  await page.waitForTimeout(SECONDS * 1000)
  const [after, scripted, busied, to] = [await page.evaluate(() => window.pictures), await metric('ScriptDuration'), processorTimes(), performance.now()]
  const pairs = (after - before) / 2
  const seconds = (to - from) / 1000
  const perPair = (milliseconds) => Number((milliseconds / pairs).toFixed(2))
  const sum = (times) => Object.values(times).reduce((all, each) => all + each, 0)
  const found = {
    frames_per_second: Number((pairs / seconds).toFixed(1)),
    processor_ms_per_frame_pair: perPair(sum(busied) - sum(busy)),
    of_processes: Object.fromEntries(Object.keys(busied).map((kind) => [kind, perPair(busied[kind] - (busy[kind] ?? 0))])),
    script_ms_per_frame_pair: perPair(1000 * (scripted - script)),
    wrong: wrongs,
  }
  process.stdout.write(`${JSON.stringify(found)}\n`)
} finally {
  await browser.close()
  server.close()
  server.closeAllConnections()
}
