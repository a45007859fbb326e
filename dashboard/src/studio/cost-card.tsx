import { formatExactMoney, formatMoney } from '../format/money.ts'
import type { StudioQuote } from '../api/generated.ts'
import { Icon } from '../ui/icon.tsx'
import { QueryButton, type ShownQuery } from '../ui/query-button.tsx'
import styles from './cost-card.module.css'
import type { Impossible } from './rules.ts'
import { useRemainingBudget, type QuoteView } from './use-quote.ts'

interface CostCardProps {
  view: QuoteView
  /** Why nothing can be sent. */
  reason: string | undefined
  impossible: readonly Impossible[]
  queries: readonly ShownQuery[]
  onGenerate: () => void
}

/** What the request would cost at each provider, what would differ from it, and the button that sends it. */
export function CostCard({
  view: { quote, error, isStale },
  reason,
  impossible,
  queries,
  onGenerate,
}: CostCardProps) {
  const budget = useRemainingBudget(quote)
  const [first] = quote?.offers ?? []
  const isRefused = quote !== undefined && !isStale && !first
  return (
    <div className={styles['cost']} data-stale={isStale || undefined}>
      <div className={styles['figures']} role="status">
        {error && <p className={styles['refusal']}>{error.message}</p>}
        {!error && !quote && <p className="muted">{reason ?? 'Computing the cost'}</p>}
        {quote?.offers.map((offer, index) => (
          <OfferLine key={offer.provider.name} offer={offer} isFirst={index === 0} />
        ))}
        {quote && !first && <p className={styles['none']}>No provider can make this.</p>}
        {quote && quote.refusals.length > 0 && <Refusals quote={quote} isOpen={!first} />}
        {budget && (
          <p className={styles['budget']} title={formatExactMoney(budget.micros)}>
            {formatMoney(budget.micros)} left of the {PERIODS[budget.period] ?? 'budget'}
          </p>
        )}
      </div>
      {(first?.warnings.length ?? 0) + impossible.length > 0 && (
        <ul className={styles['warnings']}>
          {impossible.map(({ name, message }) => (
            <li key={name}>
              <Icon name="warning" /> {message} It is left out.
            </li>
          ))}
          {first?.warnings.map(({ message }) => (
            <li key={message}>
              <Icon name="warning" /> {message}
            </li>
          ))}
        </ul>
      )}
      {quote && reason !== undefined && <p className={styles['reason']}>{reason}</p>}
      <div className={styles['row']}>
        <button
          type="button"
          className={`button primary ${styles['generate']}`}
          disabled={reason !== undefined || isRefused}
          onClick={onGenerate}
        >
          Generate
          <kbd aria-hidden="true">Ctrl ⏎</kbd>
        </button>
        <QueryButton queries={queries} />
      </div>
    </div>
  )
}

const PERIODS: Readonly<Record<string, string>> = {
  DAY: 'budget of today',
  MONTH: 'budget of this month',
  TOTAL: 'total budget',
}

function OfferLine({ offer, isFirst }: { offer: StudioQuote['offers'][number]; isFirst: boolean }) {
  const { expectedMicros, maxMicros, priceVersion, inCooldown, provider } = offer
  const isFree = provider.dialect === 'sandbox'
  return (
    <div className={styles['offer']} data-first={isFirst || undefined}>
      <span className={styles['name']}>
        {provider.name}
        {isFree && <em>free: counted, not charged</em>}
        {inCooldown && <em>in a cooldown</em>}
      </span>
      {maxMicros === null ? (
        <span className={styles['amount']}>price unknown</span>
      ) : (
        <span className={styles['amount']} title={priceVersion ? `Price table ${priceVersion}` : undefined}>
          {expectedMicros !== null && expectedMicros !== maxMicros && (
            <strong title={formatExactMoney(expectedMicros)}>about {formatMoney(expectedMicros)}</strong>
          )}
          <span title={formatExactMoney(maxMicros)}>at most {formatMoney(maxMicros)}</span>
        </span>
      )}
    </div>
  )
}

function Refusals({ quote: { refusals }, isOpen }: { quote: StudioQuote; isOpen: boolean }) {
  const names = [...new Set(refusals.map(({ provider }) => provider.name))]
  return (
    <details className={styles['refusals']} open={isOpen}>
      <summary>Not at {names.join(', ')}</summary>
      <ul>
        {refusals.map(({ provider, field, message }) => (
          <li key={`${provider.name} ${field}`} className={styles['refusal']}>
            {message}
          </li>
        ))}
      </ul>
    </details>
  )
}
