/** A field of a form, with what is wrong about it below it. */

import { cloneElement, type ComponentChild, type VNode } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  label: string
  help?: string
  problem?: string | null | undefined
  children: VNode
  class?: string
}

export function Field({ label, help, problem, children, class: kind }: FieldProps) {
  const id = useId()
  const told = problem || help
  const input = cloneElement(children, { id, ...(told ? { 'aria-describedby': `${id}-told` } : {}), ...(problem ? { 'aria-invalid': 'true' } : {}) })
  return (
    <div class={`field ${kind ?? ''}`}>
      <label for={id}>{label}</label>
      {input}
      {told && (
        <p id={`${id}-told`} class={problem ? 'wrong' : 'soft'}>
          {told}
        </p>
      )}
    </div>
  )
}

/** Boxes of which any may be chosen. */
export function Boxes<Name extends string>({ legend, names, chosen, words, onChange, note }: {
  legend: string
  names: readonly Name[]
  chosen: readonly Name[]
  words: (name: Name) => string
  onChange: (chosen: Name[]) => void
  note?: ComponentChild
}) {
  return (
    <fieldset class="boxes">
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) => onChange(event.currentTarget.checked ? names.filter((each) => each === name || chosen.includes(each)) : chosen.filter((each) => each !== name))}
          />
          {words(name)}
        </label>
      ))}
      {note && <p class="soft">{note}</p>}
    </fieldset>
  )
}
