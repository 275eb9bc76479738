/** The numbers: doubts first, then the ejection fraction, then what guidelines list, then everything. */

import { useState } from 'preact/hooks'
import type { Measures, Quantity } from '../api/types'
import { quantityKey } from '../editing/numbers'
import { usePage } from '../store/page'
import type { Language } from '../store/state'
import { goToFrame } from '../viewer/actions'
import { useWords, type Say } from '../words'
import { headline, interval, intervalNote, method, patientOf, quantity, rangesOf, sign, term, type Range } from '../words/format'
import { sentenceOf } from '../words/sentences'
import { gravest, GradeMark } from './grade'

const EJECTION = 'left_ventricular_ejection_fraction'
const EJECTION_SCALE: readonly [number, number] = [0, 90]
const MARGIN = 0.6

const find = (measures: Measures | undefined, name: string): Quantity | undefined =>
  measures?.quantities.find((each) => each.name === name)

/** The same quantity as the analysis had it, by method and view. */
const before = (automatic: Measures | undefined, { name, method: how, view }: Quantity): Quantity | undefined =>
  automatic?.quantities.find((each) => each.name === name && each.method === how && each.view === view)

function endsOf(name: string, ranges: readonly Range[]): readonly [number, number] | null {
  if (name === EJECTION) return EJECTION_SCALE
  if (!ranges.length) return null
  const low = Math.min(...ranges.map((range) => range.low))
  const bounded = ranges.flatMap(({ high }) => (high === null ? [] : [high]))
  const high = bounded.length ? Math.max(...bounded) : low * 1.6
  const margin = MARGIN * (high - low)
  return [low - margin, high + (bounded.length ? margin : 0)]
}

/** A value on its reference range, with its interval. */
function Bar({ of, language, say }: { of: Quantity; language: Language; say: Say }) {
  const study = usePage(({ exam }) => exam?.study)
  const ranges = study ? rangesOf(of, patientOf(study)) : []
  const ends = endsOf(of.name, ranges)
  if (!ends) return null
  const along = (value: number) => 100 * Math.min(1, Math.max(0, (value - ends[0]) / (ends[1] - ends[0])))
  const words = ranges
    .map(({ sex, low, high }) => {
      const limits = high === null ? `≥ ${quantity(low, of.unit, of.name, language)}` : interval(low, high, of.unit, of.name, language)
      return `${limits} ${say(sex === 'F' ? 'women' : 'men')}`
    })
    .join(', ')
  const title = ranges.length ? `${say('range')} ${words}; ${ranges[0]!.source}` : ''
  return (
    <svg class="range" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={title || say('no_range')}>
      {title && <title>{title}</title>}
      <rect class="scale" x="0" y="4" width="100" height="2" />
      {ranges.map(({ sex, low, high }) => (
        <rect key={sex} class="band" x={along(low)} y="2.5" width={Math.max(0, along(high ?? ends[1]) - along(low))} height="5" />
      ))}
      {of.interval && (
        <rect class="interval" x={along(of.interval[0])} y="4" width={Math.max(1, along(of.interval[1]) - along(of.interval[0]))} height="2" />
      )}
      <rect class="value" x={along(of.value) - 0.6} y="0" width="1.2" height="10" />
    </svg>
  )
}

function useValue(of: Quantity): { value: number; isProvisional: boolean } {
  const provisional = usePage(({ exam }) => exam?.provisional?.[quantityKey(of)])
  return { value: provisional ?? of.value, isProvisional: provisional !== undefined }
}

function Row({ of, isNamed = true, former }: { of: Quantity; isNamed?: boolean; former: Quantity | undefined }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const { value, isProvisional } = useValue(of)
  const grade = gravest(of.flags)
  const was = former && former.value !== of.value ? former : null
  const how = `${method(of.method, language)}, ${of.view}`
  const name = isNamed ? term(of.name, language) : how
  const first = of.frames[0]
  return (
    <tr class={grade === 'not usable' ? 'unusable' : ''}>
      <th scope="row">
        {first ? (
          <button class="link" title={`${how}. ${say('go_to_frame')}`} onClick={() => goToFrame(first)}>
            {name}
          </button>
        ) : (
          <span title={how}>{name}</span>
        )}
      </th>
      <td class={`number${isProvisional ? ' provisional' : ''}`}>
        {grade && grade !== 'note' && <GradeMark grade={grade} title={of.flags[0] ? sentenceOf(of.flags[0], language) : ''} />}
        <b>{quantity(value, of.unit, of.name, language)}</b>
      </td>
      <td class="unit">{sign(of.unit)}</td>
      <td class="limits">
        {was && <s title={say('automatic')}>{quantity(was.value, was.unit, was.name, language)}</s>}
        {of.interval && !isProvisional && interval(of.interval[0], of.interval[1], of.unit, of.name, language)}
      </td>
      <td class="bar-cell">{isNamed && grade !== 'not usable' && <Bar of={of} language={language} say={say} />}</td>
    </tr>
  )
}

function Ejection({ of, former }: { of: Quantity; former: Quantity | undefined }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const { value, isProvisional } = useValue(of)
  const grade = gravest(of.flags)
  const widest = of.intervals?.[0]
  const was = former && former.value !== of.value ? former : null
  return (
    <div class={`ejection${grade === 'not usable' ? ' unusable' : ''}`}>
      <button class="link big" onClick={() => of.frames[0] && goToFrame(of.frames[0])} title={say('go_to_frame')}>
        <span class="name">{term(of.name, language)}</span>
        <span class={`figure${isProvisional ? ' provisional' : ''}`} data-testid="ejection-fraction">
          {quantity(value, of.unit, of.name, language)}
          <small> {sign(of.unit)}</small>
        </span>
      </button>
      <div class="beside">
        {of.interval && !isProvisional && (
          <span class="limits" title={widest ? intervalNote(`note ${widest.of}`, widest.share, language) : ''}>
            {interval(of.interval[0], of.interval[1], of.unit, of.name, language)} {sign(of.unit)}
            {widest && <em> {intervalNote(widest.of, widest.share, language)}</em>}
          </span>
        )}
        {isProvisional && <span class="limits">{say('provisional')}</span>}
        {was && (
          <span class="was">
            {say('automatic')} <s>{quantity(was.value, was.unit, was.name, language)}</s>
          </span>
        )}
        <span class="how">
          {method(of.method, language)}, {of.view}
        </span>
        {grade !== 'not usable' && <Bar of={of} language={language} say={say} />}
      </div>
    </div>
  )
}

export function Numbers() {
  const say = useWords()
  const measures = usePage(({ exam }) => exam?.study.measures)
  const automatic = usePage(({ exam }) => exam?.study.automatic)
  const [isAll, setAll] = useState(false)
  if (!measures) return null
  const ejection = find(measures, EJECTION)
  const rows = headline.slice(1).flatMap((name) => find(measures, name) ?? [])
  const byView = [...new Set(measures.quantities.map(({ view, method: how }) => `${view}\u0000${how}`))]
  return (
    <div class="numbers">
      {ejection ? <Ejection of={ejection} former={before(automatic, ejection)} /> : <p class="empty">{say('no_ejection')}</p>}
      <table>
        <caption class="hidden">{say('numbers')}</caption>
        <tbody>
          {rows.map((each) => (
            <Row key={each.name} of={each} former={before(automatic, each)} />
          ))}
        </tbody>
      </table>
      <button class="quiet" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
        {say(isAll ? 'fewer_numbers' : 'all_numbers', { n: measures.quantities.length })}
      </button>
      {isAll &&
        byView.map((key) => {
          const [view, how] = key.split('\u0000') as [string, string]
          return <Group key={key} view={view} how={how} measures={measures} automatic={automatic} />
        })}
    </div>
  )
}

function Group({ view, how, measures, automatic }: { view: string; how: string; measures: Measures; automatic: Measures | undefined }) {
  const language = usePage((state) => state.language)
  const title = `${view}, ${method(how, language)}`
  return (
    <table class="group">
      <caption>{title}</caption>
      <tbody>
        {measures.quantities
          .filter((each) => each.view === view && each.method === how)
          .map((each) => (
            <Row key={each.name} of={each} former={before(automatic, each)} />
          ))}
      </tbody>
    </table>
  )
}
