/** The bars around the views: tools, images and layouts, layers, and the film. */

import type { Editing } from '../editing'
import { activeView, layersOf, phaseOfStill } from '../store/exam'
import { setExam, useFrame, usePage } from '../store/page'
import type { Cine, LayerName, Layout } from '../store/state'
import { Icon } from '../style/icons'
import { isKey, useWords, type Key } from '../words'
import { number } from '../words/format'
import { goToPhase, resetView, setLayout, setPreset, showImage, stepFrame, toggleLayer, type Preset } from './actions'
import { setSpeed, showFrame, SPEEDS, togglePlay } from './clock'
import { VIEWER_TOOLS } from './tools'

export function ToolRail({ editing }: { editing: Editing }) {
  const say = useWords()
  const tool = usePage(({ exam }) => exam?.tool)
  return (
    <div class="rail" role="toolbar" aria-label={say('tools')} aria-orientation="vertical">
      {[...VIEWER_TOOLS, ...editing.tools].map(({ name, icon, key }, index) => {
        if (!icon) return null
        const words = isKey(`tool_${name}`) ? say(`tool_${name}` as Key) : name
        const title = key ? `${words} (${key.toUpperCase()})` : words
        return (
          <>
            {index === VIEWER_TOOLS.length && <hr />}
            <button
              key={name}
              class="square"
              aria-pressed={tool === name}
              aria-label={words}
              title={title}
              onClick={() => setExam({ tool: name })}
            >
              <Icon name={icon} />
            </button>
          </>
        )
      })}
      <button class="square" aria-label={say('key_reset')} title={`${say('key_reset')} (R)`} onClick={resetView}>
        <Icon name="reset" />
      </button>
      {editing.bar()}
    </div>
  )
}

const LAYOUTS: readonly [Layout, string][] = [
  ['1', 'M3 4h18v16H3z'],
  ['2', 'M3 4h18v16H3zM12 4v16'],
  ['review', 'M3 4h18v16H3zM12 4v16M3 12h18'],
  ['4', 'M3 4h8v7H3zM13 4h8v7h-8zM3 13h8v7H3zM13 13h8v7h-8z'],
  ['montage', 'M3 4h18v16H3zM9 4v16M15 4v16M3 9.500h18M3 14.500h18'],
]

const LAYER_NAMES: readonly LayerName[] = ['labels', 'contours', 'automatic', 'axis', 'disks', 'segments']
const PRESETS: readonly Preset[] = ['auto', 'full', 'soft', 'hard']

export function ViewBar() {
  const say = useWords()
  const images = usePage(({ exam }) => exam?.study.images)
  const image = usePage(({ exam }) => exam && activeView(exam)?.image)
  const layout = usePage(({ exam }) => exam?.layout)
  const layers = usePage(({ exam }) => exam?.layers)
  const cine = usePage(({ exam }) => exam?.cines[activeView(exam)?.image ?? ''])
  const isEdited = usePage(({ exam }) => (exam?.study.edits ?? 0) > 0)
  const shown = LAYER_NAMES.filter((name) => (name === 'automatic' ? isEdited : cine && layersOf(cine).has(name)))
  const hasStack = images?.some(({ name, slices }) => name === image && slices > 1)
  return (
    <div class="bar">
      <div class="choice" role="group" aria-label={say('images')}>
        {images?.map((info) => {
          const { name, view, modality } = info
          const phase = phaseOfStill(info)
          return (
            <button key={name} aria-pressed={name === image} title={`${name}, ${modality}`} onClick={() => showImage(name)}>
              {view}
              {phase && ` ${say(phase === 'ED' ? 'ed' : 'es')}`}
            </button>
          )
        })}
      </div>
      <div class="choice" role="group" aria-label={say('layouts')}>
        {LAYOUTS.map(([each, path]) => (
          <button
            key={each}
            class="square"
            aria-pressed={each === layout}
            aria-label={say(`key_layout_${each}` as Key)}
            title={say(`key_layout_${each}` as Key)}
            disabled={each === 'montage' && !hasStack}
            onClick={() => setLayout(each)}
          >
            <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
              <path d={path} />
            </svg>
          </button>
        ))}
      </div>
      <div class="choice layers" role="group" aria-label={say('layers')}>
        {shown.map((each) => (
          <button key={each} aria-pressed={layers?.[each] ?? false} onClick={() => toggleLayer(each)}>
            {say(`layer_${each}` as Key)}
          </button>
        ))}
      </div>
      <label class="presets">
        <span>{say('window')}</span>
        <select
          value=""
          aria-label={say('window')}
          onChange={(event) => {
            setPreset(event.currentTarget.value as Preset)
            event.currentTarget.value = ''
          }}
        >
          <option value="" disabled>
            {say('window')}
          </option>
          {PRESETS.map((each) => (
            <option key={each} value={each}>
              {say(`preset_${each}` as Key)}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

function Slider({ image, frames }: { image: string; frames: number }) {
  const say = useWords()
  const frame = useFrame(image)
  return (
    <input
      type="range"
      min={0}
      max={Math.max(0, frames - 1)}
      value={frame}
      aria-label={say('frame')}
      aria-valuetext={say('frame_of', { n: frame + 1, all: frames })}
      onInput={(event) => showFrame(image, Number(event.currentTarget.value))}
    />
  )
}

function Clock({ cine }: { cine: Cine }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const frame = useFrame(cine.info.name)
  return (
    <output class="clock">
      <span>
        {frame + 1}/{cine.info.frames}
      </span>
      <span>{cine.hasTimes ? `${number(cine.times_ms[frame] ?? 0, 0, language)} ms` : say('no_times')}</span>
    </output>
  )
}

export function FilmBar() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const playing = usePage(({ exam }) => exam?.playing ?? false)
  const speed = usePage(({ exam }) => exam?.speed ?? 1)
  const image = usePage(({ exam }) => (exam && activeView(exam)?.image) ?? '')
  const cine = usePage(({ exam }) => exam?.cines[(exam && activeView(exam)?.image) ?? ''])
  const phases = usePage(({ exam }) => exam?.study.images.find(({ name }) => name === activeView(exam)?.image)?.phases)
  if (!cine) return null
  const { frames } = cine.info
  // The middle of a slider's knob of 16 pixels.
  const share = (at: number) => `calc(8px + (100% - 16px) * ${frames > 1 ? at / (frames - 1) : 0})`
  return (
    <div class="film" role="toolbar" aria-label={say('film')}>
      <button class="square" aria-label={say('key_back')} title={`${say('key_back')} (←)`} onClick={() => stepFrame(-1)}>
        <Icon name="previous" />
      </button>
      <button class="square strong" aria-label={say(playing ? 'pause' : 'play')} title={`${say('key_play')} (P)`} onClick={togglePlay}>
        <Icon name={playing ? 'pause' : 'play'} />
      </button>
      <button class="square" aria-label={say('key_on')} title={`${say('key_on')} (→)`} onClick={() => stepFrame(1)}>
        <Icon name="next" />
      </button>
      <div class="scrub">
        <Slider image={image} frames={frames} />
        {phases?.ED !== undefined && <i class="tick ED" style={{ left: share(phases.ED) }} />}
        {phases?.ES !== undefined && <i class="tick ES" style={{ left: share(phases.ES) }} />}
      </div>
      <Clock cine={cine} />
      <div class="choice" role="group" aria-label={say('phases')}>
        <button onClick={() => goToPhase('ED')} title={`${say('key_ed')} (D)`}>
          {say('ed')}
        </button>
        <button onClick={() => goToPhase('ES')} title={`${say('key_es')} (S)`}>
          {say('es')}
        </button>
      </div>
      <label class="inline">
        <span>{say('speed')}</span>
        <select value={String(speed)} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
          {SPEEDS.map((each) => (
            <option key={each} value={String(each)}>
              {String(each).replace('.', language === 'fr' ? ',' : '.')}×
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
