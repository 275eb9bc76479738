/** A person who works in the page: who they are, what they open, and what they can see of it. */

/** A person whose name is known. Where handles are is asked of the canvas that they are drawn on. */
export async function begin(page, name, patience) {
  page.setDefaultTimeout(patience)
  await page.addInitScript(() => {
    window.circles = () =>
      (window.Konva?.stages ?? []).flatMap((stage) => {
        const { left, top } = stage.container().getBoundingClientRect()
        const shown = stage.find('.control').filter((each) => each.isVisible())
        return shown.map((each) => ({ x: left + each.absolutePosition().x, y: top + each.absolutePosition().y }))
      })
  })
  await page.evaluate((person) => localStorage.setItem('cardiotrace-person', person), name)
  await page.reload()
}

export async function open(page, study) {
  await page.evaluate((id) => (location.hash = `#/studies/${id}`), study)
  await page.waitForSelector('[data-testid=ejection-fraction]')
}

/** What the server holds. */
export const held = (page, path) => page.evaluate(async (at) => (await fetch(`api/v1${at}`)).json(), path)

/** Every gesture is answered. */
export const settled = (page) => page.waitForSelector('[data-standing=ours][data-waiting="0"]')

/** Places of the control points on the screen. */
export async function handles(page) {
  await page.waitForFunction(() => circles().length > 5, null, { polling: 100 })
  return page.evaluate(() => circles())
}
