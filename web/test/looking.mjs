/** What is asked of every screen, and pictures of it. */

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds. It is put in past the policy of the page, which forbids other scripts, as it should. */
export async function violations(page, where, within = 'html') {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const found = await page.evaluate((part) => window.axe.run(part, { resultTypes: ['violations'] }), within)
  return found.violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ target }) => target.join(' ')).slice(0, 3).join(', ')}`)
}

/** A picture of the screen, where a folder for pictures is named. */
export const picture = async (page, name, folder = process.env.PICTURES) => folder && (await page.screenshot({ path: join(folder, `${name}.png`) }))

/** Dark on a screen, then light and French on a tablet held upright: what axe finds, and how far the page is too wide. */
export async function allRound(page, name) {
  const found = await violations(page, name)
  await picture(page, name)
  await page.click('[aria-label="Light colours"]')
  await page.click('button[lang="fr"]')
  await page.setViewportSize({ width: 800, height: 1100 })
  await page.waitForTimeout(300)
  found.push(...(await violations(page, `${name}, light, French, upright`)))
  await picture(page, `${name}-upright`)
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  await page.setViewportSize({ width: 1280, height: 720 })
  await page.click('button[lang="en"]')
  await page.click('[aria-label="Dark colours"]')
  await page.waitForTimeout(300)
  return { axe: found, overflow }
}
