import { useState } from 'react'
import { Icon } from './icon.tsx'
import styles from './copy-button.module.css'

const SHOWN_MS = 1_500

/** Shows an id, and copies it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [isCopied, setIsCopied] = useState(false)
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text)
    setIsCopied(true)
    setTimeout(() => setIsCopied(false), SHOWN_MS)
  }
  return (
    <button
      type="button"
      className={styles['copy']}
      title={`Copy ${what}`}
      aria-label={`Copy ${what} ${text}`}
      onClick={() => void copy().catch(() => {})}
    >
      <span className="mono">{text}</span>
      <Icon name={isCopied ? 'check' : 'copy'} size={12} />
    </button>
  )
}
