import { CopyText } from './copy-text.tsx'
import parts from './parts.module.css'

/** A secret that the server shows once. */
export function Secret({ text, label }: { text: string; label: string }) {
  return (
    <div className={parts['secret']} role="group" aria-label={label}>
      <code>{text}</code>
      <CopyText text={text} />
    </div>
  )
}
