import type { ProviderState } from '../api/generated.ts'
import styles from './load.module.css'

/** Running calls of those that may run at once in one server process. */
export function Load({ provider }: { provider: Pick<ProviderState, 'runningAttempts' | 'concurrency'> }) {
  const { runningAttempts: running, concurrency } = provider
  const share = concurrency === 0 ? 0 : Math.min(1, running / concurrency)
  return (
    <span className={styles['load']}>
      <span>
        {running}
        <span className="muted"> of {concurrency}</span>
      </span>
      <svg width="64" height="6" aria-hidden="true" className={styles['bar']}>
        <rect width="64" height="6" rx="3" />
        {share > 0 && (
          <rect
            width={Math.max(6, 64 * share)}
            height="6"
            rx="3"
            data-full={share === 1 || undefined}
            className={styles['fill']}
          />
        )}
      </svg>
    </span>
  )
}
