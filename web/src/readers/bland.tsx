/** How two readers differ in a quantity, exam by exam. */

import type { QuantityAgreement } from '../api/types'
import { usePage } from '../store/page'
import { useWords } from '../words'
import { number, sign, term } from '../words/format'
import { keyParts } from './names'
import { HEIGHT, plotOf, WIDTH } from './plot'

export function BlandAltman({ row, examName }: { row: QuantityAgreement; examName: (exam: string) => string }) {
  const say = useWords()
  const language = usePage((state) => state.language)
  const { name, unit } = keyParts(row.name)
  const { points, lines, ticks, box } = plotOf(row)
  const value = (of: number) => number(of, 1, language)
  const title = say('plot_of', { quantity: term(name, language), first: row.first, second: row.second })
  return (
    <figure class="agreement-plot">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
        <g class="grid">
          {ticks.y.map(([at, y]) => (
            <g key={at}>
              <line x1={box.left} x2={box.right} y1={y} y2={y} />
              <text class="end" x={box.left - 6} y={y + 3.5}>
                {number(at, Number.isInteger(at) ? 0 : 1, language)}
              </text>
            </g>
          ))}
          {ticks.x.map(([at, x]) => (
            <text key={at} x={x} y={box.bottom + 14}>
              {number(at, Number.isInteger(at) ? 0 : 1, language)}
            </text>
          ))}
        </g>
        <text x={(box.left + box.right) / 2} y={HEIGHT - 4}>
          {say('plot_mean', { unit: sign(unit) })}
        </text>
        <text transform={`translate(11 ${(box.top + box.bottom) / 2}) rotate(-90)`}>{say('plot_difference', { unit: sign(unit) })}</text>
        {lines.map(({ kind, value: of, y }) => (
          <g key={of} class={kind}>
            <line x1={box.left} x2={box.right} y1={y} y2={y} />
            <text class="start" x={box.right + 6} y={y + 3.5}>
              {kind === 'bias' ? say('plot_bias', { value: value(of) }) : value(of)}
            </text>
          </g>
        ))}
        {points.map(({ exam, x, y }) => (
          <circle key={exam} cx={x} cy={y} r="4">
            <title>{examName(exam)}</title>
          </circle>
        ))}
      </svg>
    </figure>
  )
}
