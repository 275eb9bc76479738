/** Debian's Chromium, without a GPU, and what a page must never do in it. */

import { chromium } from 'playwright-core'

export async function openBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
  return browser
}

/** A page that writes down errors, refused contents and requests to other hosts. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, locale: 'en-GB', ...options })
  const page = await context.newPage()
  const wrongs = []
  const { host } = new URL(url)
  page.on('pageerror', (error) => wrongs.push(`error: ${error.message}`))
  page.on('console', (message) => {
    const isLookup = message.text().includes('status of 404') // asked for, and not there
    if (message.type() === 'error' && !isLookup) wrongs.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const to = new URL(request.url())
    if (to.protocol.startsWith('http') && to.host !== host) wrongs.push(`asked ${to.host}`)
  })
  await page.goto(url)
  return { page, wrongs }
}
