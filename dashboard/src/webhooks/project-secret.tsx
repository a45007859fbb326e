import { useState } from 'react'
import { ReadWebhookSecret } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import parts from '../ui/parts.module.css'
import { Secret } from '../ui/secret.tsx'

/** Of messages to callback addresses of tasks, which have no webhook. Read on request only. */
export function ProjectSecret() {
  const { connection } = useSession()
  const [secret, setSecret] = useState<string>()
  const [problem, setProblem] = useState<string>()

  async function show(): Promise<void> {
    setProblem(undefined)
    try {
      setSecret(await connection.read(ReadWebhookSecret, {}))
    } catch (error) {
      setProblem((error as Error).message)
    }
  }

  return (
    <section className={parts['section']} aria-labelledby="callback-title">
      <h2 id="callback-title">Callback URLs of tasks</h2>
      <p className="muted" style={{ marginBottom: 12 }}>
        Messages to the <code>callbackUrl</code> of a task are signed with one secret per project.
      </p>
      {secret === undefined ? (
        <button type="button" className="button" onClick={() => void show()}>
          Show the secret
        </button>
      ) : (
        <>
          <Secret text={secret} label="Secret of callbacks" />
          <button
            type="button"
            className="button quiet"
            style={{ marginTop: 8 }}
            onClick={() => setSecret(undefined)}
          >
            Hide
          </button>
        </>
      )}
      {problem !== undefined && (
        <p role="alert" className={parts['problem']}>
          {problem}
        </p>
      )}
    </section>
  )
}
