/** Archives and rules: the node, destinations, what archives hold, and what happens by itself. */

import { useEffect, useState } from 'preact/hooks'
import type { Destinations, Rules } from '../api/types'
import { api } from '../store/page'
import { useWords } from '../words'
import { DestinationsPart } from './destinations_part'
import { NodePart } from './node_part'
import { RulesPart } from './rules_part'
import { SearchPart } from './search_part'

export function ArchivesPage() {
  const say = useWords()
  const [known, setKnown] = useState<Destinations | null>(null)
  const [rules, setRules] = useState<Rules | null>(null)
  const [problem, setProblem] = useState('')
  useEffect(() => {
    Promise.all([api.destinations(), api.rules()]).then(
      ([destinations, kept]) => {
        setKnown(destinations)
        setRules(kept)
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    )
  }, [])
  return (
    <main class="sheet">
      <header>
        <h1>{say('archives_title')}</h1>
      </header>
      {problem && <p class="wrong">{problem}</p>}
      <div class="wide">
        <NodePart />
        {known && <DestinationsPart known={known} onChange={setKnown} />}
        {known && <SearchPart destinations={known.destinations} />}
        {known && rules && <RulesPart destinations={known.destinations} kept={rules} onKept={setRules} />}
      </div>
    </main>
  )
}
