import styles from './live-page.module.css'

export function SectionTitle({ text, count }: { text: string; count?: number | undefined }) {
  return (
    <h2 className={styles['title']}>
      {text} {count !== undefined && <span className={styles['count']}>{count.toLocaleString('en')}</span>}
    </h2>
  )
}
