/** Values of the seventeen segments of the wall, seen from the apex: anterior at the top, septum on the left. */

import type { SegmentValues } from '../api/types'
import { usePage } from '../store/page'
import { goToFrame } from '../viewer/actions'
import { useWords } from '../words'
import { method, number, segmentValues, sign } from '../words/format'
import tables from '../words/tables.json'
import { gravest, GradeMark } from './grade'

type Colour = readonly [number, number, number]
interface Scale {
  low: number
  high: number
  stops: readonly Colour[]
}

const BLUE: Colour[] = [[8, 64, 129], [67, 147, 195], [209, 229, 240]]
const ORANGE: Colour[] = [[247, 247, 247], [244, 165, 60]]
const EARTH: Colour[] = [[255, 247, 225], [233, 185, 110], [153, 88, 24]]
const SHORTENING: Scale = { low: -24, high: 12, stops: [...BLUE, ...ORANGE] }
const rising = (low: number, high: number): Scale => ({ low, high, stops: [...ORANGE].reverse().concat([...BLUE].reverse()) })

/** The same in every exam and in the report. */
const SCALES: Readonly<Record<string, Scale>> = {
  longitudinal_strain: SHORTENING,
  circumferential_strain: SHORTENING,
  radial_strain: rising(-30, 60),
  wall_thickening: rising(-40, 80),
  end_diastolic_wall_thickness: { low: 3, high: 20, stops: EARTH },
  end_systolic_wall_thickness: { low: 5, high: 26, stops: EARTH },
}

export function colourAt({ low, high, stops }: Scale, value: number): Colour {
  const share = Math.min(1, Math.max(0, (value - low) / (high - low))) * (stops.length - 1)
  const place = Math.min(Math.floor(share), stops.length - 2)
  const [first, second] = [stops[place]!, stops[place + 1]!]
  return [0, 1, 2].map((each) => Math.round(first[each]! + (second[each]! - first[each]!) * (share - place))) as unknown as Colour
}

const isLight = ([red, green, blue]: Colour): boolean => 0.299 * red + 0.587 * green + 0.114 * blue > 140

const RINGS: Readonly<Record<string, readonly [number, number]>> = {
  basal: [0.75, 1],
  mid: [0.5, 0.75],
  apical: [0.24, 0.5],
  cap: [0, 0.24],
}
const REACH = 96

const polar = (share: number, degrees: number): [number, number] => {
  const angle = (degrees * Math.PI) / 180
  return [-share * REACH * Math.sin(angle), -share * REACH * Math.cos(angle)]
}

/** Where a segment begins and ends, degrees counter-clockwise from the top. */
export function arcOf(segment: number): readonly [number, number] {
  if (segment === 17) return [0, 360]
  const [first, count] = segment <= 6 ? [1, 6] : segment <= 12 ? [7, 6] : [13, 4]
  const middle = (segment - first) * (360 / count)
  return [middle - 180 / count, middle + 180 / count]
}

function outline(segment: number, [inner, outer]: readonly [number, number]): string {
  const [start, stop] = arcOf(segment)
  const degrees = Array.from({ length: 19 }, (_, index) => start + ((stop - start) * index) / 18)
  const points = degrees.map((each) => polar(outer, each))
  if (inner > 0) points.push(...degrees.reverse().map((each) => polar(inner, each)))
  return points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')
}

const WALLS: readonly [string, number][] = [['anterior', 0], ['septal', 90], ['inferior', 180], ['lateral', 270]]

export function BullsEye({ values }: { values: SegmentValues }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const isUsable = gravest(values.flags) !== 'not usable'
  const known = isUsable ? Object.values(values.values).filter((value): value is number => value !== null) : []
  const [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1]
  const scale = SCALES[values.name] ?? { low, high: high > low ? high : low + 1, stops: EARTH }
  const title = `${segmentValues(values.name, language)}, ${sign(values.unit)}`
  const first = values.frames[0]
  return (
    <figure class="bullseye">
      <figcaption>
        <b>{title}</b>
        <span>
          {values.view}, {method(values.method, language)}
        </span>
        {!isUsable && <GradeMark grade="not usable" title={values.flags[0]?.text ?? ''} />}
      </figcaption>
      <svg viewBox="-134 -112 268 226" role="img" aria-label={title}>
        {Object.entries(tables.segments).map(([key, segment]) => {
          const ring = RINGS[segment.level]!
          const value = isUsable ? values.values[key] : null
          const colour = value === null || value === undefined ? null : colourAt(scale, value)
          const [x, y] = ring[0] === 0 ? [0, 0] : polar((ring[0] + ring[1]) / 2, (arcOf(Number(key))[0] + arcOf(Number(key))[1]) / 2)
          const words = value === null || value === undefined ? '–' : number(value, 0, language)
          return (
            <g key={key}>
              <title>{`${key} ${segment.level === 'cap' ? '' : segment.level} ${segment.wall} (${segment.territory}): ${words} ${sign(values.unit)}`}</title>
              <polygon points={outline(Number(key), ring)} class="segment" fill={colour ? `rgb(${colour.join(',')})` : undefined} />
              <text x={x} y={y + 4} class={colour ? (isLight(colour) ? 'dark' : 'light') : ''}>
                {words}
              </text>
            </g>
          )
        })}
        {WALLS.map(([wall, degrees]) => {
          const [x, y] = polar(1.09, degrees)
          return (
            <text key={wall} x={x} y={y + 4} class={`wall ${wall}`}>
              {segmentValues(wall, language)}
            </text>
          )
        })}
      </svg>
      <div class="scale" aria-hidden="true">
        <span>{number(scale.low, 0, language)}</span>
        <svg viewBox="0 0 40 1" preserveAspectRatio="none">
          {Array.from({ length: 40 }, (_, step) => (
            <rect key={step} x={step} y="0" width="1.1" height="1" fill={`rgb(${colourAt(scale, scale.low + ((scale.high - scale.low) * (step + 0.5)) / 40).join(',')})`} />
          ))}
        </svg>
        <span>{number(scale.high, 0, language)}</span>
      </div>
      {first && (
        <button class="quiet" onClick={() => goToFrame(first)}>
          {say('show_image')}
        </button>
      )}
    </figure>
  )
}

export function Wall() {
  const say = useWords()
  const segments = usePage(({ exam }) => exam?.study.measures.segments ?? [])
  const shown = segments.filter(({ values }) => Object.keys(values).length > 0)
  if (!shown.length) return <p class="empty">{say('no_segments')}</p>
  return (
    <div class="wall">
      {shown.map((values) => (
        <BullsEye key={`${values.name} ${values.view} ${values.method}`} values={values} />
      ))}
    </div>
  )
}
