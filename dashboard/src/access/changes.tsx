import { Link } from '@tanstack/react-router'
import { ListAudit, ListKeyNames } from '../api/generated.ts'
import { formatExactTime } from '../format/time.ts'
import { Problem } from '../ui/problem.tsx'
import parts from '../ui/parts.module.css'
import { useList } from '../ui/use-list.ts'
import { useRead } from '../ui/use-read.ts'
import styles from './access.module.css'
import { changeText } from './change-text.ts'

/** Decisions about a project or a key, with their authors. `version` changes with each change of the page. */
export function Changes({ subject, version }: { subject: string; version: number }) {
  const list = useList(
    (connection, after, signal) =>
      connection.read(ListAudit, { subject, ...(after !== undefined && { after }) }, signal),
    `changes ${subject}`,
    { version },
  )
  const { data: names } = useRead(
    async (connection, signal) => (await connection.read(ListKeyNames, {}, signal)).keys.nodes,
    'key names',
  )
  const nameOf = (by: string) => names?.find(({ id }) => id === by)?.name ?? by
  return (
    <section className={parts['section']} aria-labelledby="changes-title">
      <h2 id="changes-title">Changes</h2>
      {list.error && <Problem error={list.error} onRetry={list.reload} />}
      {list.items?.length === 0 && <p className="muted">Nothing was changed yet.</p>}
      <ol className={styles['changes']}>
        {list.items?.map((entry) => (
          <li key={entry.id}>
            <time dateTime={entry.at} className="muted">
              {formatExactTime(entry.at)}
            </time>
            <span>
              {entry.by?.startsWith('key_') ? (
                <Link to="/access/keys/$id" params={{ id: entry.by }}>
                  {nameOf(entry.by)}
                </Link>
              ) : (
                (entry.by ?? 'unknown')
              )}{' '}
              {changeText(entry)}
            </span>
          </li>
        ))}
      </ol>
      {list.hasMore && (
        <button type="button" className="button" onClick={list.readMore}>
          Show more
        </button>
      )}
    </section>
  )
}
