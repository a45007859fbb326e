import { useState } from 'react'
import { Icon } from './icon.tsx'

const SHOWN_MS = 1_500

/** Copies the address of the page. */
export function CopyLink() {
  const [isCopied, setIsCopied] = useState(false)
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(location.href)
    setIsCopied(true)
    setTimeout(() => setIsCopied(false), SHOWN_MS)
  }
  return (
    <button type="button" className="button quiet" onClick={() => void copy().catch(() => {})}>
      <Icon name={isCopied ? 'check' : 'copy'} /> {isCopied ? 'Copied' : 'Copy link'}
    </button>
  )
}
