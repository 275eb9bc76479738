/** The DICOM node: as whom it listens, where, and what came. */

import { useEffect } from 'preact/hooks'
import { useAsked } from '../store/asked'
import { api, usePage } from '../store/page'
import { useWords } from '../words'
import { date } from '../words/format'

const UNTIL_IT_RUNS_MS = 3000

export function NodePart() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const { found: node, problem, again } = useAsked(() => api.node(), '')
  useEffect(() => {
    if (!node || node.runs || node.ae_title === null) return
    const timer = setTimeout(() => void again(), UNTIL_IT_RUNS_MS)
    return () => clearTimeout(timer)
  }, [node])
  if (!node) return <section>{problem && <p class="wrong">{problem}</p>}</section>
  const isOff = node.ae_title === null
  const came = [
    say('node_studies', { n: node.studies }),
    ...(node.last ? [say('node_last', { time: date(node.last, language) })] : []),
    ...(node.receiving ? [say('node_receiving', { n: node.receiving })] : []),
  ]
  return (
    <section>
      <h2>
        {say('node')} {node.runs && <em class="good">{say('node_runs')}</em>}
      </h2>
      <p class="soft">{say(isOff ? 'node_off' : 'node_help')}</p>
      {!isOff && !node.runs && <p class={node.problem ? 'wrong' : 'soft'}>{node.problem ?? say('node_starts')}</p>}
      {(!isOff || node.studies > 0) && (
        <dl class="facts">
          {!isOff && (
            <>
              <dt>{say('node_title')}</dt>
              <dd>{node.ae_title}</dd>
              <dt>{say('node_address')}</dt>
              <dd>{node.port === null ? node.host : `${node.host}:${node.port}`}</dd>
              <dt>{say('node_peers')}</dt>
              <dd>{node.peers.length ? node.peers.join(', ') : say('node_anybody')}</dd>
            </>
          )}
          <dt>{say('node_came')}</dt>
          <dd>{came.join(', ')}</dd>
        </dl>
      )}
    </section>
  )
}
