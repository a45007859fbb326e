import { useEffect, useRef, useState, type FormEvent } from 'react'
import { sessions } from './context.ts'
import styles from './sign-in.module.css'

/** Asks for the API key. Afterwards the page of the address opens. */
export function SignIn({ reason }: { reason?: string | undefined }) {
  const [key, setKey] = useState('')
  const [isKept, setIsKept] = useState(false)
  const [problem, setProblem] = useState(reason)
  const [isBusy, setIsBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    field.current?.focus()
  }, [])

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setIsBusy(true)
    setProblem(undefined)
    try {
      await sessions.signIn(key.trim(), isKept)
    } catch (error) {
      setProblem((error as Error).message)
      setIsBusy(false)
      field.current?.focus()
      field.current?.select()
    }
  }

  return (
    <main className={styles['page']}>
      <title>Sign in · Darkroom</title>
      <form className={styles['form']} onSubmit={(event) => void submit(event)}>
        <span className={styles['mark']} aria-hidden="true" />
        <h1>Darkroom</h1>
        <p className="muted">This server requires an API key.</p>
        <label className={styles['label']}>
          API key
          <input
            ref={field}
            className="field mono"
            type="password"
            autoComplete="off"
            spellCheck={false}
            required
            value={key}
            aria-invalid={problem !== undefined}
            aria-describedby={problem === undefined ? undefined : 'sign-in-problem'}
            onChange={({ target }) => setKey(target.value)}
          />
        </label>
        <p id="sign-in-problem" role="alert" className={styles['problem']}>
          {problem}
        </p>
        <label className={styles['check']}>
          <input type="checkbox" checked={isKept} onChange={({ target }) => setIsKept(target.checked)} />
          Keep until this tab is closed
        </label>
        <button type="submit" className="button primary" disabled={isBusy}>
          Open
        </button>
      </form>
    </main>
  )
}
