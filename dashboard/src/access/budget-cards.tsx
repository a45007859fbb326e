import { useState } from 'react'
import type { BudgetState } from '../api/generated.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { formatExactTime, formatWait } from '../format/time.ts'
import { useNow } from '../live/hooks.ts'
import parts from '../ui/parts.module.css'
import styles from './access.module.css'
import { BudgetBar } from './budget-bar.tsx'
import { BudgetForm, RemoveBudget } from './budget-form.tsx'
import { PERIODS } from './budgets.ts'

interface BudgetCardsProps {
  /** Id of a project or of an API key. */
  owner: string
  budgets: readonly BudgetState[]
  canChange: boolean
  onChange: () => void
}

type Open = { budget: BudgetState; what: 'SET' | 'REMOVE' }

/** Spending in each period beside its limit. */
export function BudgetCards({ owner, budgets, canChange, onChange }: BudgetCardsProps) {
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  const change = { owner, onChange, onClose: close }
  return (
    <>
      <div className={parts['cards']}>
        {budgets.map((budget) => (
          <section
            key={budget.period}
            className={parts['card']}
            aria-labelledby={`${owner}-${budget.period}`}
          >
            <h2 id={`${owner}-${budget.period}`}>{PERIODS[budget.period].title}</h2>
            <Budget budget={budget} />
            {canChange && (
              <div className={parts['row']} style={{ marginTop: 14 }}>
                <button type="button" className="button" onClick={() => setOpen({ budget, what: 'SET' })}>
                  {budget.limitMicros === null ? 'Set a budget' : 'Change'}
                  <span className="hidden"> {PERIODS[budget.period].within}</span>
                </button>
                {budget.limitMicros !== null && (
                  <button
                    type="button"
                    className="button quiet"
                    onClick={() => setOpen({ budget, what: 'REMOVE' })}
                  >
                    Remove<span className="hidden"> the budget {PERIODS[budget.period].within}</span>
                  </button>
                )}
              </div>
            )}
          </section>
        ))}
      </div>
      {open?.what === 'SET' && <BudgetForm {...change} budget={open.budget} />}
      {open?.what === 'REMOVE' && <RemoveBudget {...change} budget={open.budget} />}
    </>
  )
}

function Budget({ budget }: { budget: BudgetState }) {
  const now = useNow(30_000)
  const { limitMicros, spentMicros, heldMicros, remainingMicros, resetsAt } = budget
  const isStopped = limitMicros === 0
  return (
    <div className={styles['budget']}>
      <p className={styles['amount']}>
        <strong title={formatExactMoney(spentMicros)}>{formatMoney(spentMicros)}</strong>{' '}
        <span className="muted">
          {limitMicros === null ? 'spent, no budget' : `spent of ${formatMoney(limitMicros)}`}
        </span>
      </p>
      {limitMicros !== null && <BudgetBar budget={budget} />}
      <p className={styles['parts']}>
        <span title={formatExactMoney(heldMicros)}>{formatMoney(heldMicros)} held</span>
        {limitMicros !== null && (
          <span title={formatExactMoney(remainingMicros)}>
            {isStopped ? 'All spending is stopped' : `${formatMoney(remainingMicros)} left`}
          </span>
        )}
        {resetsAt !== null && (
          <span title={`${formatExactTime(resetsAt)}; periods are those of UTC`}>
            starts again in {formatWait(Date.parse(resetsAt) - now)}
          </span>
        )}
      </p>
    </div>
  )
}
