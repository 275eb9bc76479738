/** The beats of every film, each with its own numbers. */

import type { Beat, Curve, Measures } from '../api/types'
import { usePage } from '../store/page'
import { goToFrame } from '../viewer/actions'
import { useWords } from '../words'
import { number } from '../words/format'

export interface BeatRow {
  length_ms: number | null
  rate: number | null
  large: number | null
  small: number | null
  ejection: number | null
}

/** What one beat shows on the curve of its film. */
export function rowOf(beat: Beat, curve: Curve | undefined): BeatRow {
  const volumes = curve?.['left_ventricular_volume_ml'] as (number | null)[] | undefined
  const large = volumes?.[beat.end_diastole] ?? null
  const small = volumes?.[beat.end_systole] ?? null
  const times = curve?.times_ms
  const isRound = beat.stop === beat.end_diastole
  const from = times?.[beat.end_diastole]
  const to = beat.stop === null || isRound ? undefined : times?.[beat.stop]
  const length = from !== undefined && to !== undefined ? to - from : null
  return {
    length_ms: length,
    rate: length ? 60000 / length : null,
    large,
    small,
    ejection: large && small !== null ? (100 * (large - small)) / large : null,
  }
}

export function Beats() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const measures: Measures | undefined = usePage(({ exam }) => exam?.study.measures)
  if (!measures?.beats?.length) return <p class="empty">{say('no_beats')}</p>
  const cell = (value: number | null) => <td class="number">{value === null ? '–' : number(value, 0, language)}</td>
  return (
    <table class="beats">
      <thead>
        <tr>
          <th scope="col">{say('view')}</th>
          <th scope="col">{say('frames_of_beat')}</th>
          <th scope="col">ms</th>
          <th scope="col">/min</th>
          <th scope="col">{say('edv')}</th>
          <th scope="col">{say('esv')}</th>
          <th scope="col">{say('ef')}</th>
        </tr>
      </thead>
      <tbody>
        {measures.beats.map((beat) => {
          const row = rowOf(beat, measures.curves.find(({ image }) => image === beat.image))
          return (
            <tr key={`${beat.image} ${beat.end_diastole}`}>
              <th scope="row">
                <button class="link" title={say('go_to_frame')} onClick={() => goToFrame(`${beat.image}:${beat.end_diastole}`)}>
                  {beat.view}
                </button>
              </th>
              <td class="number">
                {beat.end_diastole + 1}–{beat.end_systole + 1}–{beat.stop === null ? '…' : beat.stop + 1}
              </td>
              {cell(row.length_ms)}
              {cell(row.rate)}
              {cell(row.large)}
              {cell(row.small)}
              {cell(row.ejection)}
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
