import { useState } from 'react'
import { Icon } from './icon.tsx'

const SHOWN_MS = 1_500

/** A button that copies a longer text, which it does not show. */
export function CopyText({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [isCopied, setIsCopied] = useState(false)
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text)
    setIsCopied(true)
    setTimeout(() => setIsCopied(false), SHOWN_MS)
  }
  return (
    <button type="button" className="button" onClick={() => void copy().catch(() => {})}>
      <Icon name={isCopied ? 'check' : 'copy'} /> {isCopied ? 'Copied' : label}
    </button>
  )
}
