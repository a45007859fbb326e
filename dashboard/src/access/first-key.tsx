import { CopyText } from '../ui/copy-text.tsx'
import parts from '../ui/parts.module.css'

const OPERATOR_KEY = `export DARKROOM_ADMIN_KEY=$(openssl rand -base64 33)
echo $DARKROOM_ADMIN_KEY`
const COMMAND = 'npx darkroom keys create --name shop --scopes generate,read'

/** On a server without keys, which refuses to create the first one while it runs: that would lock its operator out. */
export function FirstKey() {
  return (
    <div className={parts['cards']}>
      <section className={parts['card']} aria-labelledby="operator-key">
        <h2 id="operator-key">Set the key of the operator</h2>
        <p className="muted">
          No key exists, so everyone who can connect has full rights. The first key ends that, also for you.
          Therefore start the server again with a key of your own; then create keys here.
        </p>
        <pre className={`mono ${parts['code']}`} tabIndex={0} style={{ margin: '14px 0' }}>
          {OPERATOR_KEY}
        </pre>
        <CopyText text={OPERATOR_KEY} />
      </section>
      <section className={parts['card']} aria-labelledby="first-key">
        <h2 id="first-key">Or create the first key while the server is stopped</h2>
        <p className="muted">
          The command prints the key once. Without a key of the operator, later changes need the server
          stopped, too.
        </p>
        <pre className={`mono ${parts['code']}`} tabIndex={0} style={{ margin: '14px 0' }}>
          {COMMAND}
        </pre>
        <CopyText text={COMMAND} />
      </section>
    </div>
  )
}
