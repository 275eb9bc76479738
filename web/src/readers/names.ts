/** What quantities of the table of agreement are called: their keys are a name with a unit behind it. */

import tables from '../words/tables.json'

const NAMES = Object.keys(tables.terms).sort((a, b) => b.length - a.length) // the longest first: one begins with another

export function keyParts(key: string): { name: string; unit: string } {
  const name = NAMES.find((each) => key.startsWith(`${each}_`))
  return name ? { name, unit: key.slice(name.length + 1) } : { name: key, unit: '' }
}
