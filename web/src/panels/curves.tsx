/** One series of one film over time, with end-diastole and end-systole to be dragged, and the frame that is shown. */

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Curve, Phase } from '../api/types'
import { editing } from '../editing/session'
import { activeView, infoOf } from '../store/exam'
import { setExam, useFrame, usePage } from '../store/page'
import { showFrame } from '../viewer/clock'
import { useWords } from '../words'
import { curveName, number, sign } from '../words/format'

const NOT_SERIES = new Set(['image', 'view', 'times_ms'])
const UNITS = ['percent', 'cm2', 'px2', 'ml', 'cm', 'px', 'mm', 'g', 'degrees']

export type Series = readonly (number | null)[]

/** Series of a curve by name, volumes first. */
export function seriesOf(curve: Curve): [name: string, values: Series][] {
  const rank = (name: string) => (name.includes('volume') ? 0 : name.includes('area') ? 1 : name.includes('strain') ? 2 : 3)
  return Object.entries(curve)
    .filter((entry): entry is [string, Series] => !NOT_SERIES.has(entry[0]) && Array.isArray(entry[1]))
    .sort(([first], [second]) => rank(first) - rank(second))
}

/** "left_ventricular_volume_ml" is a name and a unit. */
export function nameAndUnit(series: string): [name: string, unit: string] {
  const unit = UNITS.find((each) => series.endsWith(`_${each}`))
  return unit ? [series.slice(0, -unit.length - 1), unit] : [series, '']
}

/** Round steps, about so many of them. */
export function ticksOf(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? power
  const first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step)
}

/** Pieces without gaps, as a path. */
export function pathOf(values: Series, x: (index: number) => number, y: (value: number) => number): string {
  let path = ''
  let isDown = false
  values.forEach((value, index) => {
    if (value !== null) path += `${isDown ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
    isDown = value !== null
  })
  return path
}

const [LEFT, RIGHT, TOP, BOTTOM] = [38, 16, 22, 22]

/** How large a drawing is on the screen: its text keeps its size. */
function useSize(place: { current: Element | null }): { wide: number; high: number } {
  const [size, setSize] = useState({ wide: 400, high: 160 })
  useLayoutEffect(() => {
    const measure = () => {
      const box = place.current?.getBoundingClientRect()
      if (box?.width && box.height) setSize({ wide: Math.round(box.width), high: Math.round(box.height) })
    }
    const watcher = new ResizeObserver(measure)
    if (place.current) watcher.observe(place.current)
    measure()
    return () => watcher.disconnect()
  }, [place])
  return size
}

function ValueNow({ values, unit, image }: { values: Series; unit: string; image: string }) {
  const language = usePage((state) => state.language)
  const now = values[useFrame(image)] ?? null
  return (
    <output>
      {now === null ? '–' : number(now, unit === 'ml' ? 0 : 1, language)} {sign(unit)}
    </output>
  )
}

interface MarkProps {
  values: Series
  image: string
  x: (frame: number) => number
  y: (value: number) => number
  bottom: number
}

function MarkNow({ values, image, x, y, bottom }: MarkProps) {
  const frame = useFrame(image)
  const now = values[frame] ?? null
  return (
    <g class="now">
      <line x1={x(frame)} x2={x(frame)} y1={TOP} y2={bottom} />
      {now !== null && <circle cx={x(frame)} cy={y(now)} r={3.2} />}
    </g>
  )
}

export function Curves() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const image = usePage(({ exam }) => (exam && activeView(exam)?.image) ?? '')
  const cine = usePage(({ exam }) => exam?.cines[image])
  const curve = usePage(({ exam }) => exam?.study.measures.curves.find((each) => each.image === (activeView(exam)?.image ?? '')))
  const automatic = usePage(({ exam }) => exam?.study.automatic?.curves.find((each) => each.image === (activeView(exam)?.image ?? '')))
  const chosen = usePage(({ exam }) => exam?.series)
  const phases = usePage(({ exam }) => (exam && infoOf(exam, activeView(exam)?.image ?? '')?.phases) ?? undefined)
  const frameOfPlot = useRef<HTMLDivElement>(null)
  const { wide, high } = useSize(frameOfPlot)
  const [dragged, setDragged] = useState<{ phase: Phase; frame: number } | null>(null)
  if (!cine) return <div class="curves" />
  const all = curve ? seriesOf(curve) : []
  const [name, values] = all.find(([each]) => each === chosen) ?? all[0] ?? ['', []]
  const known = values.filter((value): value is number => value !== null)
  if (!name || known.length < 2) {
    return (
      <div class="curves" ref={frameOfPlot}>
        <p class="empty">{say('no_curve')}</p>
      </div>
    )
  }
  const former = automatic && automatic !== curve ? ((automatic[name] as Series | undefined) ?? null) : null
  const least = Math.min(...known)
  const most = Math.max(...known)
  const [quantity, unit] = nameAndUnit(name)
  const low = unit === 'ml' || unit === 'cm2' ? Math.min(0, least) : least - 0.08 * (most - least)
  const top = most + 0.06 * (most - low)
  const times = cine.times_ms
  const end = times[times.length - 1] || 1
  const x = (index: number) => LEFT + ((times[index] ?? 0) / end) * (wide - LEFT - RIGHT)
  const y = (value: number) => high - BOTTOM - ((value - low) / (top - low || 1)) * (high - TOP - BOTTOM)
  const frameUnder = (event: { clientX: number }): number => {
    const box = frameOfPlot.current!.getBoundingClientRect()
    const time = (event.clientX - box.left - LEFT) * (end / (wide - LEFT - RIGHT))
    return times.reduce((best, at, index) => (Math.abs(at - time) < Math.abs(times[best]! - time) ? index : best), 0)
  }
  const commit = (phase: Phase, at: number) => {
    const done = () => setDragged((now) => (now?.phase === phase && now.frame === at ? null : now))
    if (at === phases?.[phase]) return done()
    void editing().send({ kind: 'key-frame', image, phase, frame: at }).then(done) // it stays where it was put until then
  }
  const marker = (phase: Phase) => {
    const at = dragged?.phase === phase ? dragged.frame : phases?.[phase]
    if (at === undefined) return null
    return (
      <g
        key={phase}
        class={`marker ${phase}`}
        role="slider"
        tabIndex={0}
        aria-label={say(phase === 'ED' ? 'marker_ed' : 'marker_es')}
        aria-valuemin={1}
        aria-valuemax={cine.info.frames}
        aria-valuenow={at + 1}
        onPointerDown={(event) => {
          event.stopPropagation()
          event.currentTarget.setPointerCapture(event.pointerId)
          setDragged({ phase, frame: at })
        }}
        onPointerMove={(event) => {
          if (dragged?.phase !== phase || !event.buttons) return // let go, and being sent
          const next = frameUnder(event)
          setDragged({ phase, frame: next })
          showFrame(image, next)
        }}
        onPointerUp={() => {
          if (dragged?.phase === phase) commit(phase, dragged.frame)
        }}
        onPointerCancel={() => setDragged(null)}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
          if (by) {
            const next = Math.min(cine.info.frames - 1, Math.max(0, at + by))
            setDragged({ phase, frame: next })
            showFrame(image, next)
            event.preventDefault()
            event.stopPropagation()
          } else if (event.key === 'Enter' && dragged?.phase === phase) commit(phase, dragged.frame)
          else if (event.key === 'Escape') setDragged(null)
        }}
        onBlur={() => setDragged((now) => (now?.phase === phase ? null : now))} // not where the other is taken hold of
      >
        <title>{say('marker_help')}</title>
        <rect x={x(at) - 10} y={0} width={20} height={high - BOTTOM} class="grip" />
        <line x1={x(at)} x2={x(at)} y1={TOP - 4} y2={high - BOTTOM} />
        <rect x={x(at) - 12} y={TOP - 19} width={24} height={15} rx={3} class="flag" />
        <text x={x(at)} y={TOP - 8}>
          {say(phase === 'ED' ? 'ed' : 'es')}
        </text>
      </g>
    )
  }
  return (
    <div class="curves">
      <header>
        <select
          value={name}
          aria-label={say('series')}
          onChange={(event) => setExam({ series: event.currentTarget.value })}
        >
          {all.map(([each]) => {
            const [label, its] = nameAndUnit(each)
            return (
              <option key={each} value={each}>
                {curveName(label, language, { length: say('length') })}
                {its && `, ${sign(its)}`}
              </option>
            )
          })}
        </select>
        <ValueNow values={values} unit={unit} image={image} />
      </header>
      <div class="plot" ref={frameOfPlot}>
        <svg
        viewBox={`0 0 ${wide} ${high}`}
        role="group"
        aria-label={say('curve_of', { name: curveName(quantity, language, { length: say('length') }) })}
        onPointerDown={(event) => showFrame(image, frameUnder(event))}
        onPointerMove={(event) => {
          if (event.buttons === 1 && !dragged) showFrame(image, frameUnder(event))
        }}
      >
        {ticksOf(low, top, Math.max(2, Math.round(high / 45))).map((tick) => (
          <g key={tick} class="grid">
            <line x1={LEFT} x2={wide - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 6} y={y(tick) + 3.5} class="end">
              {number(tick, 0, language)}
            </text>
          </g>
        ))}
        {ticksOf(0, end, 5).map((tick) => (
          <text key={tick} class="time" x={LEFT + (tick / end) * (wide - LEFT - RIGHT)} y={high - 7}>
            {cine.hasTimes ? number(tick, 0, language) : number(tick / 40 + 1, 0, language)}
          </text>
        ))}
        {former && <path d={pathOf(former, x, y)} class="former" />}
        <path d={pathOf(values, x, y)} class="series" />
        {marker('ED')}
        {marker('ES')}
        <MarkNow values={values} image={image} x={x} y={y} bottom={high - BOTTOM} />
      </svg>
      </div>
      <footer>{say(cine.hasTimes ? 'axis_ms' : 'axis_frames')}</footer>
    </div>
  )
}
