/** What files did not say, said by a person, and the analysis once more. */

import { useState } from 'preact/hooks'
import type { AnalyseOptions } from '../api/types'
import { api, page, usePage } from '../store/page'
import { useWords, type Key } from '../words'
import { Dialog } from './dialog'

const VIEWS = ['A4C', 'A2C', 'A3C', 'SAX', '4CH', '2CH', '3CH', 'PLAX', 'PSAX', 'FUNDUS'] as const
const NUMBERS = ['frame_rate_hz', 'heart_rate', 'height_cm', 'weight_kg'] as const

/** A number that was typed, in either language; null where nothing was, or no number above zero. */
export function numberOf(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() && Number.isFinite(value) && value > 0 ? value : null
}

export function AnalyseDialog() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const id = usePage(({ route }) => (route.page === 'study' ? route.id : ''))
  const images = usePage(({ exam }) => exam?.study.images ?? [])
  const [views, setViews] = useState<Record<string, string>>({})
  const [typed, setTyped] = useState<Record<string, string>>({})
  const [sex, setSex] = useState('')
  const close = () => page.set({ dialog: null })
  const field = (name: string) => ({
    value: typed[name] ?? '',
    inputMode: 'decimal' as const,
    onInput: (event: { currentTarget: HTMLInputElement }) => {
      const { value } = event.currentTarget
      setTyped((before) => ({ ...before, [name]: value }))
    },
  })
  const isWrong = Object.values(typed).some((text) => text.trim() && numberOf(text) === null)
  const isHalf = Boolean(typed['row']?.trim()) !== Boolean(typed['column']?.trim())
  const send = async () => {
    const [row, column] = [numberOf(typed['row'] ?? ''), numberOf(typed['column'] ?? '')]
    const options: AnalyseOptions = { views, language, sex: sex || null, spacing_mm: row && column ? [row, column] : null }
    for (const name of NUMBERS) options[name] = numberOf(typed[name] ?? '')
    try {
      await api.analyse(id, options)
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
        {images.length > 0 && (
          <fieldset>
            <legend>{say('views')}</legend>
            {images.map(({ name, view }) => (
              <label key={name}>
                <span>{name}</span>
                <select
                  value={views[name] ?? ''}
                  onChange={(event) => {
                    const { [name]: _, ...others } = views
                    setViews(event.currentTarget.value ? { ...others, [name]: event.currentTarget.value } : others)
                  }}
                >
                  <option value="">{say('as_found', { view })}</option>
                  {VIEWS.map((each) => (
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
            <select value={sex} onChange={(event) => setSex(event.currentTarget.value)}>
              <option value="">{say('unknown')}</option>
              <option value="F">{say('female')}</option>
              <option value="M">{say('male')}</option>
            </select>
          </label>
        </fieldset>
        {(isWrong || isHalf) && <p class="doubt">{say(isHalf ? 'both_sizes' : 'not_a_number')}</p>}
        <footer>
          <button type="button" onClick={close}>
            {say('cancel')}
          </button>
          <button class="strong" disabled={isWrong || isHalf}>
            {say('analyse')}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
