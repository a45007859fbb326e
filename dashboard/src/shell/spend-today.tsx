import { Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { WatchSpend } from '../api/generated.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { useSession } from '../session/context.ts'
import styles from './shell.module.css'

interface Spend {
  costMicros: number | null
  heldMicros: number
  attemptsWithUnknownCost: number
}

/** Cost since midnight in the browser's time zone, as the server counts it. */
export function SpendToday() {
  const { connection } = useSession()
  const [spend, setSpend] = useState<Spend>()
  useEffect(() => {
    const abort = new AbortController()
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    const from = new Date(new Date().setHours(0, 0, 0, 0)).toISOString()
    const watch = async () => {
      for await (const { totals } of connection.latest(WatchSpend, { from, timeZone }, abort.signal))
        setSpend(totals)
    }
    void watch().catch(() => {})
    return () => abort.abort()
  }, [connection])

  if (!spend) return null
  const { costMicros, heldMicros, attemptsWithUnknownCost: unknown } = spend
  return (
    <Link to="/usage" className={styles['spend']} title={`Exactly ${formatExactMoney(costMicros)}`}>
      <span>
        <strong>{formatMoney(costMicros)}</strong> today
      </span>
      {heldMicros > 0 && <span className={styles['extra']}>· {formatMoney(heldMicros)} held</span>}
      {unknown > 0 && <span className={styles['extra']}>· {unknown} unknown</span>}
    </Link>
  )
}
