import { useId, useState } from 'react'
import { Icon } from '../ui/icon.tsx'
import type { Block } from './blocks.ts'
import styles from './connect-page.module.css'

const SHOWN_MS = 1_500

/** Text with a button that copies it. */
export function CodeBlock({ block: { title, text, note } }: { block: Block }) {
  const id = useId()
  const [isCopied, setIsCopied] = useState(false)
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text)
    setIsCopied(true)
    setTimeout(() => setIsCopied(false), SHOWN_MS)
  }
  return (
    <section className={styles['block']} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <p className="muted">{note}</p>}
        <button type="button" className="button" onClick={() => void copy().catch(() => {})}>
          <Icon name={isCopied ? 'check' : 'copy'} /> {isCopied ? 'Copied' : 'Copy'}
          <span className="hidden">: {title}</span>
        </button>
      </header>
      <pre className="mono" tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </section>
  )
}
