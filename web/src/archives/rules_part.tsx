/** What happens by itself: rules as a form, and the same as JSON beside it. */

import { useEffect, useState } from 'preact/hooks'
import type { Destination, Rule, Rules } from '../api/types'
import { Boxes, Field } from '../panels/field'
import { api } from '../store/page'
import { Icon } from '../style/icons'
import { useWords, type Key } from '../words'
import { choices, FORMS, MODALITIES, moved, NEW_RULE, ORIGINS, rulesIn, textOf, wrongIn, type Wrong } from './rules'

interface RuleProps {
  rule: Rule
  number: number
  count: number
  destinations: readonly Destination[]
  isAsked: boolean
  onChange: (rule: Rule) => void
  onMove: (by: number) => void
  onRemove: () => void
}

function RuleForm({ rule, number, count, destinations, isAsked, onChange, onMove, onRemove }: RuleProps) {
  const say = useWords()
  const put = (change: Partial<Rule>) => onChange({ ...rule, ...change })
  const wrongs = wrongIn(rule, destinations)
  const note = (wrong: Wrong | undefined) => isAsked && wrong && <span class="wrong">{say(wrong.key, wrong.values)}</span>
  const names = choices(destinations.map(({ name }) => name), rule.send_to)
  const anyNote = (chosen: readonly string[]) => (chosen.length ? null : say('rule_nothing_chosen'))
  return (
    <li class="rule" aria-label={say('rule_nth', { n: number })}>
      <header>
        <b>{number}</b>
        <Field label={say('rule_name')} class="grow">
          <input value={rule.name} maxLength={64} onInput={(event) => put({ name: event.currentTarget.value })} />
        </Field>
        <button type="button" class="square" disabled={number === 1} aria-label={say('rule_up', { n: number })} title={say('rule_up', { n: number })} onClick={() => onMove(-1)}>
          ↑
        </button>
        <button type="button" class="square" disabled={number === count} aria-label={say('rule_down', { n: number })} title={say('rule_down', { n: number })} onClick={() => onMove(1)}>
          ↓
        </button>
        <button type="button" class="square" aria-label={say('rule_remove', { n: number })} title={say('rule_remove', { n: number })} onClick={onRemove}>
          <Icon name="trash" />
        </button>
      </header>
      <Boxes
        legend={say('rule_origins')}
        names={choices(ORIGINS, rule.origins)}
        chosen={rule.origins}
        words={(name) => say(`came_${name}` as Key)}
        onChange={(origins) => put({ origins })}
        note={anyNote(rule.origins)}
      />
      <Boxes
        legend={say('rule_modalities')}
        names={choices(MODALITIES, rule.modalities)}
        chosen={rule.modalities}
        words={(name) => name}
        onChange={(modalities) => put({ modalities })}
        note={anyNote(rule.modalities)}
      />
      <label class="box">
        <input type="checkbox" checked={rule.analyse} onChange={(event) => put({ analyse: event.currentTarget.checked })} />
        {say('rule_analyse')}
      </label>
      <Boxes
        legend={say('rule_send_to')}
        names={names}
        chosen={rule.send_to}
        words={(name) => name}
        onChange={(send_to) => put({ send_to })}
        note={note(wrongs.send_to) || (names.length ? null : say('rule_no_destinations'))}
      />
      {rule.send_to.length > 0 && (
        <Boxes legend={say('rule_forms')} names={FORMS} chosen={rule.forms} words={(name) => say(`sent_${name}` as Key)} onChange={(forms) => put({ forms })} note={note(wrongs.forms)} />
      )}
    </li>
  )
}

interface RulesProps {
  destinations: readonly Destination[]
  kept: Rules
  onKept: (kept: Rules) => void
}

export function RulesPart({ destinations, kept, onKept }: RulesProps) {
  const say = useWords()
  const [rules, setRules] = useState<readonly Rule[]>(kept.rules)
  const [text, setText] = useState(textOf(kept.rules))
  const [wrong, setWrong] = useState<Wrong | null>(null)
  const [isAsked, setAsked] = useState(false)
  const [problem, setProblem] = useState('')
  const [isSaved, setSaved] = useState(false)
  const show = (next: readonly Rule[]) => {
    setRules(next)
    setText(textOf(next))
    setWrong(null)
  }
  useEffect(() => show(kept.rules), [kept])
  const begin = () => {
    setProblem('')
    setSaved(false)
  }
  const put = (next: readonly Rule[]) => {
    show(next)
    begin()
  }
  const typed = (next: string) => {
    const found = rulesIn(next)
    setText(next)
    begin()
    setWrong('wrong' in found ? found.wrong : null)
    if ('rules' in found) setRules(found.rules)
  }
  const save = async () => {
    setAsked(true)
    if (wrong || rules.some((rule) => Object.keys(wrongIn(rule, destinations)).length)) return
    try {
      onKept(await api.setRules(rules, kept.version))
      setAsked(false)
      setSaved(true)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  const isChanged = textOf(rules) !== textOf(kept.rules)
  return (
    <section>
      <h2>
        {say('rules')}
        <button onClick={() => put([...rules, NEW_RULE])}>{say('rule_new')}</button>
      </h2>
      <p class="soft">{say('rules_help')}</p>
      <form
        class="rules"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <ol>
          {rules.map((rule, at) => (
            <RuleForm
              key={at}
              rule={rule}
              number={at + 1}
              count={rules.length}
              destinations={destinations}
              isAsked={isAsked}
              onChange={(next) => put(rules.map((each, other) => (other === at ? next : each)))}
              onMove={(by) => put(moved(rules, at, by))}
              onRemove={() => put(rules.filter((_, other) => other !== at))}
            />
          ))}
        </ol>
        <Field label={say('rule_json')} problem={wrong && say(wrong.key, wrong.values)} class="json">
          <textarea value={text} rows={Math.min(24, Math.max(4, text.split('\n').length))} spellcheck={false} onInput={(event) => typed(event.currentTarget.value)} />
        </Field>
        <footer>
          <span role="status" class={problem ? 'wrong' : isSaved ? 'good' : 'soft'}>
            {problem || (isSaved ? say('saved') : isChanged ? say('rules_changed') : '')}
          </span>
          <button class="strong" disabled={Boolean(wrong) || !isChanged}>
            {say('save')}
          </button>
        </footer>
      </form>
    </section>
  )
}
