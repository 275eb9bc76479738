/** The page of one exam. */

import type { ComponentChild } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { editing, endEditing } from '../editing/session'
import { Beats } from '../panels/beats'
import { Wall } from '../panels/bullseye'
import { Curves } from '../panels/curves'
import { Flags, FlagStrip } from '../panels/flags'
import { Numbers } from '../panels/numbers'
import { ProvenancePanel } from '../panels/provenance'
import { Report } from '../panels/report'
import { api, page, setExam, usePage } from '../store/page'
import { useWords, type Key } from '../words'
import { FilmBar, ToolRail, ViewBar } from './bars'
import { bindingsOf, listenForKeys } from './keys'
import { closeStudy, openStudy } from './load'
import { followSegments } from './segments'
import { Views } from './views'

const PANELS: readonly [string, () => ComponentChild][] = [
  ['numbers', Numbers],
  ['flags', Flags],
  ['wall', Wall],
  ['beats', Beats],
  ['report', Report],
  ['about', ProvenancePanel],
]

function Side() {
  const say = useWords()
  const panel = usePage(({ exam }) => exam?.panel ?? 'numbers')
  const flags = usePage(({ exam }) => exam?.study.measures.flags.length ?? 0)
  const beats = usePage(({ exam }) => exam?.study.measures.beats?.length ?? 0)
  const counts: Readonly<Record<string, number>> = { flags, beats }
  const choose = (name: string) => setExam({ panel: name })
  const Panel = PANELS.find(([name]) => name === panel)?.[1] ?? Numbers
  const step = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (!by) return
    const at = PANELS.findIndex(([name]) => name === panel)
    const next = PANELS[(at + by + PANELS.length) % PANELS.length]![0]
    choose(next)
    document.getElementById(`tab-${next}`)?.focus()
    event.preventDefault()
  }
  return (
    <aside class="side" aria-label={say('results')}>
      <FlagStrip onOpen={() => choose('flags')} />
      <div class="tabs" role="tablist" onKeyDown={step}>
        {PANELS.map(([name]) => (
          <button
            key={name}
            id={`tab-${name}`}
            role="tab"
            aria-selected={name === panel}
            aria-controls="panel"
            tabIndex={name === panel ? 0 : -1}
            onClick={() => choose(name)}
          >
            {say(`panel_${name}` as Key)}
            {counts[name] ? <i>{counts[name]}</i> : null}
          </button>
        ))}
      </div>
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${panel}`} tabIndex={0}>
        <Panel />
      </div>
    </aside>
  )
}

function Waiting({ id }: { id: string }) {
  const say = useWords()
  const opening = usePage((state) => state.opening)
  const summary = usePage(({ list }) => list.studies.find((each) => each.id === id))
  const progress = summary?.progress
  const said = summary?.error?.text ?? opening?.said
  const isFailed = opening?.failed || summary?.state === 'failed'
  return (
    <main class="waiting">
      {isFailed ? (
        <>
          <h1>{say('state_failed')}</h1>
          <p>{said}</p>
          {summary?.error?.remedy && <p class="soft">{summary.error.remedy}</p>}
          <button onClick={() => page.set({ dialog: 'analyse' })}>{say('analyse_again')}</button>
        </>
      ) : (
        <>
          <p>{progress?.text || say(summary && summary.state !== 'done' ? (`state_${summary.state}` as Key) : 'loading')}</p>
          <progress max={progress?.total || 1} {...(progress ? { value: progress.done } : {})} aria-label={say('loading')} />
          {summary?.job && (summary.state === 'running' || summary.state === 'queued') && (
            <button onClick={() => void api.cancel(summary.job!)}>{say('cancel')}</button>
          )}
        </>
      )}
    </main>
  )
}

export function StudyPage({ id }: { id: string }) {
  const say = useWords()
  const isOpen = usePage(({ exam }) => exam?.study.id === id)
  const layout = usePage(({ exam }) => exam?.layout)
  useEffect(() => {
    void openStudy(id)
    return () => {
      endEditing()
      closeStudy()
    }
  }, [id])
  useEffect(followSegments, [])
  const session = useMemo(() => (isOpen ? editing() : null), [isOpen, id])
  useEffect(() => {
    if (!session) return
    const bindings = bindingsOf(session)
    return listenForKeys(() => bindings)
  }, [session])
  if (!isOpen || !session) return <Waiting id={id} />
  return (
    <main class="study">
      <h1 class="hidden">{say('exam')}</h1>
      <ToolRail editing={session} />
      <div class="desk">
        <ViewBar />
        <Views editing={session} />
        {session.strip()}
        {layout !== 'review' && <Curves />}
        <FilmBar />
      </div>
      <Side />
    </main>
  )
}
