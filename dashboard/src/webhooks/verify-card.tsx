import { CopyText } from '../ui/copy-text.tsx'
import parts from '../ui/parts.module.css'
import { VERIFY } from './verify.ts'

/** How a receiver verifies signatures. */
export function VerifyCard() {
  return (
    <section className={parts['section']} aria-labelledby="verify-title">
      <h2 id="verify-title">Verify a message</h2>
      <pre className={`mono ${parts['code']}`} tabIndex={0} aria-label="Receiver in Node.js">
        {VERIFY}
      </pre>
      <div className={parts['row']} style={{ marginTop: 12 }}>
        <CopyText text={VERIFY} />
        <span className="muted">
          Signatures follow standardwebhooks.com, which has libraries for most languages.
        </span>
      </div>
    </section>
  )
}
