import { useEffect, useState } from 'react'
import { DarkroomError } from '../api/connection.ts'
import { CopyText } from './copy-text.tsx'
import styles from './problem.module.css'

/** An error with its code, and a way to try again. */
export function Problem({ error, onRetry }: { error: Error; onRetry?: (() => void) | undefined }) {
  const code = error instanceof DarkroomError ? error.code : undefined
  const seconds = useSecondsLeft(error)
  const isUpdated = isOfOlderPage(error)
  return (
    <div className={styles['problem']} role="alert">
      <p>{isUpdated ? 'Darkroom was updated. Reload this page to continue.' : error.message}</p>
      {code !== undefined && <p className="mono muted">{code}</p>}
      <div className={styles['row']}>
        {isUpdated ? (
          <button type="button" className="button primary" onClick={() => location.reload()}>
            Reload
          </button>
        ) : (
          onRetry && (
            <button type="button" className="button" disabled={seconds > 0} onClick={onRetry}>
              {seconds > 0 ? `Try again in ${seconds} s` : 'Try again'}
            </button>
          )
        )}
        <CopyText text={detailsOf(error, code)} label="Copy details" />
      </div>
    </div>
  )
}

/** The server has other files, or another schema, than this page was built for. */
function isOfOlderPage(error: Error): boolean {
  if (error instanceof DarkroomError) return error.code === 'GRAPHQL_VALIDATION_FAILED'
  return navigator.onLine && /script of this page/.test(error.message)
}

/** Until the server accepts the request again. */
function useSecondsLeft(error: Error): number {
  const waitMs = error instanceof DarkroomError ? (error.retryAfterMs ?? 0) : 0
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    setSeconds(Math.ceil(waitMs / 1_000))
    if (waitMs === 0) return undefined
    const until = performance.now() + waitMs
    const timer = setInterval(
      () => setSeconds(Math.max(0, Math.ceil((until - performance.now()) / 1_000))),
      1_000,
    )
    return () => clearInterval(timer)
  }, [error, waitMs])
  return seconds
}

function detailsOf(error: Error, code: string | undefined): string {
  const at = new Date().toISOString()
  return [error.message, ...(code === undefined ? [] : [code]), `${location.pathname}, ${at}`].join('\n')
}
