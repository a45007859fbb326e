import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Measures } from '../api/generated.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { useSession } from '../session/context.ts'
import styles from './figures.module.css'
import { formatCount, heldOf } from './names.ts'

/** The totals of the report, as the server counts them. */
export function Figures({ totals }: { totals: Measures | undefined }) {
  const { may } = useSession()
  const unknown = totals?.attemptsWithUnknownCost ?? 0
  const link = (text: string) =>
    may('READ') ? (
      <Link to="/review" search={{ reason: 'COST_UNKNOWN' }}>
        {text}
      </Link>
    ) : (
      text
    )
  return (
    <dl className={styles['figures']} aria-busy={!totals}>
      <Figure
        name="Cost"
        value={totals && formatMoney(totals.costMicros)}
        title={totals && `Exactly ${formatExactMoney(totals.costMicros)}`}
        note={
          totals &&
          (unknown > 0
            ? link(`${totals.costMicros === null ? '' : '+ '}${unknown} of unknown cost`)
            : totals.estimatedCostMicros > 0
              ? `+ ${formatMoney(totals.estimatedCostMicros)} estimated`
              : 'every cost is known')
        }
      />
      <Figure
        name="Held"
        value={totals && formatMoney(heldOf(totals))}
        title={totals && `Exactly ${formatExactMoney(heldOf(totals))}`}
        note={
          totals &&
          (unknown > 0 ? link(`for ${unknown} ${unknown === 1 ? 'attempt' : 'attempts'}`) : 'nothing is open')
        }
      />
      <Figure
        name="Images"
        value={totals && formatCount(totals.images)}
        note={totals && 'finished and received'}
      />
      <Figure
        name="Tasks"
        value={totals && formatCount(totals.tasks)}
        note={totals && `${formatCount(totals.attempts)} ${totals.attempts === 1 ? 'attempt' : 'attempts'}`}
      />
    </dl>
  )
}

interface FigureProps {
  name: string
  value: string | undefined
  title?: string | undefined
  note: ReactNode
}

function Figure({ name, value, title, note }: FigureProps) {
  return (
    <div className={styles['figure']}>
      <dt>{name}</dt>
      <dd className={styles['value']} title={title}>
        {value ?? <span className={styles['skeleton']} />}
      </dd>
      <dd className={styles['note']}>{note ?? ' '}</dd>
    </div>
  )
}
