import { DarkroomError } from '../api/connection.ts'
import styles from './problem.module.css'

/** An error with its code, and a way to try again. */
export function Problem({ error, onRetry }: { error: Error; onRetry?: (() => void) | undefined }) {
  const code = error instanceof DarkroomError ? error.code : undefined
  return (
    <div className={styles['problem']} role="alert">
      <p>{error.message}</p>
      {code !== undefined && <p className="mono muted">{code}</p>}
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}
