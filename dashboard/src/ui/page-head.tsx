import type { ReactNode } from 'react'
import styles from './page-head.module.css'

/** Title of the document and of the page, with its actions at the right. */
export function PageHead({
  title,
  note,
  children,
}: {
  title: string
  note?: ReactNode
  children?: ReactNode
}) {
  return (
    <div className={styles['head']}>
      <title>{`${title} · Darkroom`}</title>
      <h1>{title}</h1>
      {note !== undefined && <p className={styles['note']}>{note}</p>}
      <div className={styles['actions']}>{children}</div>
    </div>
  )
}
