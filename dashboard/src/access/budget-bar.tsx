import type { BudgetState } from '../api/generated.ts'
import styles from './access.module.css'
import { sharesOf } from './budgets.ts'

const WARN_FROM = 0.8

/** Spent amounts filled, held ones hatched. The text beside it has the amounts. */
export function BudgetBar({ budget, isSmall = false }: { budget: BudgetState; isSmall?: boolean }) {
  const { spent, held } = sharesOf(budget)
  const used = spent + held
  return (
    <div
      className={`${styles['bar']} ${isSmall ? styles['small'] : ''}`}
      data-tone={used >= 1 ? 'bad' : used >= WARN_FROM ? 'warn' : 'good'}
      aria-hidden="true"
    >
      <span style={{ width: `${spent * 100}%` }} />
      <span className={styles['held']} style={{ width: `${held * 100}%` }} />
    </div>
  )
}
