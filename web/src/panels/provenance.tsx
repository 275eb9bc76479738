/** Where the numbers come from: models, images and what is known of them, files that were left out. */

import type { ImageProvenance } from '../api/types'
import { page, usePage } from '../store/page'
import { useWords, isKey, type Key, type Say } from '../words'
import { number } from '../words/format'
import type { Language } from '../store/state'

const known = (say: Say, word: string): string => (isKey(`known_${word}`) ? say(`known_${word}` as Key) : word)

function Image({ of, language, say }: { of: ImageProvenance; language: Language; say: Say }) {
  const size = (at: number) => {
    const value = of.spacing_mm?.[at]
    return value === null || value === undefined ? null : number(value, 2, language)
  }
  const pixel = size(1) && size(2) ? `${size(1)} × ${size(2)} mm` : say('unknown')
  const [frames, slices, rows, columns] = of.shape
  return (
    <section>
      <h2>
        {of.view} <span class="soft">{of.name}</span>
      </h2>
      <dl>
        <dt>{say('modality')}</dt>
        <dd>{of.modality}</dd>
        <dt>{say('size')}</dt>
        <dd>
          {say('size_of', { frames: frames ?? 1, rows: rows ?? 1, columns: columns ?? 1 })}
          {(slices ?? 1) > 1 && `, ${say('slices_of', { n: slices ?? 1 })}`}
        </dd>
        <dt>{say('pixel_size')}</dt>
        <dd>
          {pixel} <span class="soft">{known(say, of.pixel_size)}</span>
        </dd>
        {(of.shape[1] ?? 1) > 1 && (
          <>
            <dt>{say('slice_distance')}</dt>
            <dd>
              {size(0) ? `${size(0)} mm` : say('unknown')} <span class="soft">{known(say, of.slice_distance)}</span>
            </dd>
          </>
        )}
        <dt>{say('times')}</dt>
        <dd>{known(say, of.times)}</dd>
        {of.labels && (
          <>
            <dt>{say('traced_by')}</dt>
            <dd>{of.labels}</dd>
          </>
        )}
      </dl>
      {[...of.doubts, ...of.notes].map((note) => (
        <p key={note} class="soft">
          {note}
        </p>
      ))}
    </section>
  )
}

export function ProvenancePanel() {
  const say = useWords()
  const language = usePage((state) => state.language)
  const provenance = usePage(({ exam }) => exam?.study.measures.provenance)
  const isReading = usePage(({ exam }) => exam?.study.reading !== undefined)
  if (!provenance) return null
  const leftOut = Array.isArray(provenance.left_out)
    ? provenance.left_out.map(String)
    : Object.entries(provenance.left_out ?? {}).map(([name, why]) => `${name}: ${why}`)
  return (
    <div class="provenance">
      {!isReading && (
        <button class="quiet" onClick={() => page.set({ dialog: 'analyse' })}>
          {say('analyse_again')}
        </button>
      )}
      {provenance.images?.map((image) => (
        <Image key={image.name} of={image} language={language} say={say} />
      ))}
      <section>
        <h2>{say('models')}</h2>
        {provenance.models?.map(({ name, licence, sha256 }) => (
          <p key={name}>
            {name} <span class="soft">{licence}</span>
            <br />
            <code title={sha256}>{sha256.slice(0, 16)}</code>
          </p>
        ))}
        <p class="soft">
          {provenance.program} {provenance.version}
        </p>
      </section>
      {leftOut.length > 0 && (
        <section>
          <h2>{say('left_out')}</h2>
          <ul>
            {leftOut.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      )}
      <p class="soft">{say('no_device')}</p>
    </div>
  )
}
