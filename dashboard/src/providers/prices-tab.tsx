import { formatExactMoney, formatMoney } from '../format/money.ts'
import styles from './matrix.module.css'
import type { ProviderOffer } from './use-providers.ts'

type Model = ProviderOffer['models'][number]

/** Prices by which costs are computed, with their source. */
export function PricesTab({ models }: { models: readonly Model[] }) {
  if (models.length === 0) return <p className="muted">It offers no model.</p>
  return (
    <div className={styles['scroll']} tabIndex={0} role="region" aria-label="Prices">
      <table className={styles['matrix']}>
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              Model
            </th>
            <th scope="col" rowSpan={2} data-number>
              Per image
            </th>
            <th scope="colgroup" colSpan={4} data-group>
              Per million tokens
            </th>
            <th scope="col" rowSpan={2}>
              Price table
            </th>
          </tr>
          <tr>
            {['Prompt', 'Input image', 'Output image', 'Output text'].map((text) => (
              <th key={text} scope="col" data-number>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map(({ name, price }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {price === null ? (
                <td colSpan={5} className={styles['unknown']}>
                  No price: costs of this model are unknown
                </td>
              ) : (
                <>
                  <Amount micros={price.imageMicros} />
                  <Amount micros={price.inputTextMicros} />
                  <Amount micros={price.inputImageMicros} />
                  <Amount micros={price.outputImageMicros} />
                  <Amount micros={price.outputTextMicros} />
                </>
              )}
              <td className={styles['version']}>{price?.version}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Absent, not zero. */
function Amount({ micros }: { micros: number | null }) {
  return (
    <td data-number>
      {micros === null ? (
        <span className="muted">not used</span>
      ) : (
        <span title={formatExactMoney(micros)}>{formatMoney(micros)}</span>
      )}
    </td>
  )
}
