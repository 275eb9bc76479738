/** What files did not say, or said wrongly, said by a person, and the analysis once more. */

import { useEffect, useState } from 'preact/hooks'
import { api, page, usePage } from '../store/page'
import { useWords, type Key } from '../words'
import { Dialog } from './dialog'
import { answersOf, isHalf, isWrong, knownOf, NUMBERS, optionsOf, type Answers, type Field, type KnownFacts } from './known'

const VIEWS = ['A4C', 'A2C', 'A3C', 'SAX', '4CH', '2CH', '3CH', 'PLAX', 'PSAX', 'FUNDUS'] as const

/** Files of an exam that are not here say nothing: only what a person said before is known. */
function useKnown(id: string): KnownFacts | null {
  const exam = page.get().exam
  const [known, setKnown] = useState(() => (exam?.study.id === id ? knownOf(exam.study, Object.values(exam.cines)) : null))
  useEffect(() => {
    if (known) return
    void api.study(id).then(
      (study) => setKnown(knownOf(study, [])),
      (error: unknown) => page.set({ dialog: null, problem: error instanceof Error ? error.message : String(error) }),
    )
  }, [])
  return known
}

/** Names of the models that are here. */
function useModels(): readonly string[] {
  const [models, setModels] = useState<readonly string[]>([])
  useEffect(() => void api.about().then(({ models: found }) => setModels(found.map(({ name }) => name)), () => undefined), [])
  return models
}

export function AnalyseDialog() {
  const id = usePage(({ route }) => (route.page === 'study' ? route.id : ''))
  const known = useKnown(id)
  return known && <AnalyseForm id={id} known={known} />
}

function AnalyseForm({ id, known }: { id: string; known: KnownFacts }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const models = useModels()
  const [answers, setAnswers] = useState(() => answersOf(known, language))
  const change = (some: Partial<Answers>) => setAnswers((before) => ({ ...before, ...some }))
  const close = () => page.set({ dialog: null })
  const field = (name: Field) => ({
    value: answers.typed[name],
    inputMode: 'decimal' as const,
    onInput: (event: { currentTarget: HTMLInputElement }) => change({ typed: { ...answers.typed, [name]: event.currentTarget.value } }),
  })
  const [wrong, half] = [isWrong(answers), isHalf(answers)]
  const send = async () => {
    try {
      await api.analyse(id, optionsOf(known, answers))
      close()
    } catch (error) {
      page.set({ dialog: null, problem: error instanceof Error ? error.message : String(error) })
    }
  }
  return (
    <Dialog title={say('analyse_again')} onClose={close} isWide>
      <form
        class="analyse"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <p>{say('analyse_help')}</p>
        {Object.keys(answers.views).length > 0 && (
          <fieldset>
            <legend>{say('views')}</legend>
            {Object.entries(answers.views).map(([name, view]) => (
              <label key={name}>
                <span>{name}</span>
                <select value={view} onChange={(event) => change({ views: { ...answers.views, [name]: event.currentTarget.value } })}>
                  {[...new Set([known.views[name] ?? view, ...VIEWS])].map((each) => (
                    <option key={each}>{each}</option>
                  ))}
                </select>
              </label>
            ))}
          </fieldset>
        )}
        <fieldset>
          <legend>{say('pixel_size')}, mm</legend>
          <label>
            <span>{say('row_height')}</span>
            <input {...field('row')} />
          </label>
          <label>
            <span>{say('column_width')}</span>
            <input {...field('column')} />
          </label>
        </fieldset>
        <fieldset>
          <legend>{say('patient_and_times')}</legend>
          {NUMBERS.map((name) => (
            <label key={name}>
              <span>{say(`option_${name}` as Key)}</span>
              <input {...field(name)} />
            </label>
          ))}
          <label>
            <span>{say('sex')}</span>
            <select value={answers.sex} onChange={(event) => change({ sex: event.currentTarget.value })}>
              <option value="">{say('unknown')}</option>
              <option value="F">{say('female')}</option>
              <option value="M">{say('male')}</option>
            </select>
          </label>
        </fieldset>
        <fieldset>
          <legend>{say('how_analysed')}</legend>
          <label>
            <span>{say('model')}</span>
            <select value={answers.model} onChange={(event) => change({ model: event.currentTarget.value })}>
              <option value="">{say('model_fitting')}</option>
              {[...new Set([...models, answers.model])].filter(Boolean).map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
          <label>
            <span>{say('report_language')}</span>
            <select value={answers.language} onChange={(event) => change({ language: event.currentTarget.value })}>
              <option value="en">English</option>
              <option value="fr">Français</option>
            </select>
          </label>
        </fieldset>
        {(wrong || half) && <p class="doubt">{say(half ? 'both_sizes' : 'not_a_number')}</p>}
        <footer>
          <button type="button" onClick={close}>
            {say('cancel')}
          </button>
          <button class="strong" disabled={wrong || half}>
            {say('analyse')}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
