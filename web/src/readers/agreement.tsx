/** How well readers agree: outlines, quantities, and a picture of their differences. */

import { useEffect, useState } from 'preact/hooks'
import type { Agreement, OutlineAgreement, QuantityAgreement, ReaderStudy } from '../api/types'
import { save } from '../panels/report'
import { api, page, usePage } from '../store/page'
import { Icon } from '../style/icons'
import { isKey, useWords, type Key } from '../words'
import { number, sign, term } from '../words/format'
import { BlandAltman } from './bland'
import { keyParts } from './names'
import { canCompare, progressOf } from './progress'

const pair = ({ first, second }: Agreement): string => `${first} – ${second}`
const rowKey = (row: Agreement): string => `${pair(row)} ${row.name}`

function useCell(): (value: number | null, digits: number) => string {
  const language = usePage((state) => state.language)
  return (value, digits) => (value === null ? '–' : number(value, digits, language))
}

function Heads({ keys }: { keys: readonly Key[] }) {
  const say = useWords()
  return (
    <thead>
      <tr>
        {keys.map((key, at) => (
          <th key={key} scope="col" class={at > 1 ? 'number' : ''}>
            {say(key)}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Outlines({ rows }: { rows: readonly OutlineAgreement[] }) {
  const say = useWords()
  const cell = useCell()
  if (!rows.length) return null
  return (
    <table class="plain">
      <Heads keys={['column_readers', 'column_outline', 'column_images', 'column_frames', 'column_dice', 'column_hausdorff', 'column_mad']} />
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            <th scope="row">{pair(row)}</th>
            <td>{isKey(`outline_${row.name}`) ? say(`outline_${row.name}` as Key) : row.name}</td>
            <td class="number">{row.images}</td>
            <td class="number">{row.frames}</td>
            <td class="number">{cell(row.dice, 3)}</td>
            <td class="number">{cell(row.hausdorff_mm, 1)}</td>
            <td class="number">{cell(row.mean_absolute_mm, 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Quantities({ rows }: { rows: readonly QuantityAgreement[] }) {
  const language = usePage((state) => state.language)
  const cell = useCell()
  if (!rows.length) return null
  return (
    <table class="plain">
      <Heads keys={['column_readers', 'column_quantity', 'column_exams', 'column_bias', 'column_limits', 'column_error', 'column_icc']} />
      <tbody>
        {rows.map((row) => {
          const { name, unit } = keyParts(row.name)
          return (
            <tr key={rowKey(row)}>
              <th scope="row">{pair(row)}</th>
              <td>
                {term(name, language)}, {sign(unit)}
              </td>
              <td class="number">{row.exams}</td>
              <td class="number">{cell(row.bias, 1)}</td>
              <td class="number">
                {row.lower_limit === null ? '–' : `${cell(row.lower_limit, 1)} … ${cell(row.upper_limit, 1)}`}
              </td>
              <td class="number">{cell(row.mean_absolute_error, 1)}</td>
              <td class="number">{cell(row.icc, 2)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

function Picture({ rows, nameOf }: { rows: readonly QuantityAgreement[]; nameOf: (id: string) => string }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const [chosen, choose] = useState(rows[0] ? rowKey(rows[0]) : '')
  const row = rows.find((each) => rowKey(each) === chosen) ?? rows[0]
  if (!row) return null
  return (
    <div class="agreement-picture">
      <label class="inline">
        {say('plot_what')}
        <select value={rowKey(row)} onChange={(event) => choose(event.currentTarget.value)}>
          {rows.map((each) => (
            <option key={rowKey(each)} value={rowKey(each)}>
              {term(keyParts(each.name).name, language)}, {pair(each)}
            </option>
          ))}
        </select>
      </label>
      <BlandAltman row={row} examName={nameOf} />
    </div>
  )
}

export function AgreementPart({ group, nameOf }: { group: ReaderStudy; nameOf: (id: string) => string }) {
  const say = useWords()
  const [rows, setRows] = useState<Agreement[] | null>(null)
  const [isBusy, setBusy] = useState(false)
  const { done } = progressOf(group.readings)
  useEffect(() => setRows(null), [group.id, done])
  const compare = async () => {
    setBusy(true)
    try {
      setRows(await api.agreement(group.id))
    } catch (error) {
      page.set({ problem: error instanceof Error ? error.message : String(error) })
    } finally {
      setBusy(false)
    }
  }
  const table = (event: Event) => {
    event.preventDefault()
    save(api.agreementTable(group.id), 'agreement.csv').catch((error: unknown) => page.set({ problem: String(error) }))
  }
  if (!canCompare(group)) {
    return (
      <section>
        <h2>{say('agreement')}</h2>
        <p class="soft">{say('agreement_none')}</p>
      </section>
    )
  }
  const quantities = rows?.filter((row) => row.what === 'quantity') ?? []
  return (
    <section class="agreement" aria-busy={isBusy}>
      <h2>{say('agreement')}</h2>
      <p class="soft">{say('agreement_help')}</p>
      <p class="line">
        {!rows && (
          <button class="strong" disabled={isBusy} onClick={() => void compare()}>
            {say('agreement_show')}
          </button>
        )}
        <a class="button" href={api.agreementTable(group.id)} onClick={table}>
          <Icon name="download" />
          {say('agreement_csv')}
        </a>
      </p>
      {rows && (
        <>
          <Outlines rows={rows.filter((row) => row.what === 'outline')} />
          <Quantities rows={quantities} />
          <Picture rows={quantities} nameOf={nameOf} />
        </>
      )}
    </section>
  )
}
