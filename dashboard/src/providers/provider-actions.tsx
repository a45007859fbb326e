import { useRef, useState, type FormEvent } from 'react'
import { Pause, Resume, type ProviderState } from '../api/generated.ts'
import { useOnline } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { Icon } from '../ui/icon.tsx'
import styles from './provider-actions.module.css'

interface ProviderActionsProps {
  provider: ProviderState
  /** Names of its models, once they are known. */
  models?: readonly string[] | undefined
  onChange: (provider: ProviderState) => void
}

/** Pause and resume, for operators only. */
export function ProviderActions({ provider, models = [], onChange }: ProviderActionsProps) {
  const { viewer, connection } = useSession()
  const isOnline = useOnline()
  const dialog = useRef<HTMLDialogElement>(null)
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  if (!viewer.isOperator || !provider.configured) return null
  const { name, queuedAttempts } = provider

  async function run(change: () => Promise<{ provider: ProviderState | null }>): Promise<void> {
    setIsBusy(true)
    setProblem(undefined)
    try {
      const changed = await change()
      if (changed.provider) onChange(changed.provider)
      dialog.current?.close()
    } catch (error) {
      setProblem((error as Error).message)
    } finally {
      setIsBusy(false)
    }
  }

  function pause(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const model = form.get('model') as string | null
    const reason = (form.get('reason') as string).trim()
    if (reason === '') return
    const input = { name, reason, ...(model !== null && model !== '' && { model }) }
    void run(() => connection.change(Pause, { input }, true))
  }

  const isPaused = provider.cooldowns.some(({ model, endsAt }) => model === null && endsAt === null)
  return (
    <div className={styles['actions']}>
      {provider.cooldowns.length > 0 && (
        <button
          type="button"
          className="button"
          disabled={isBusy || !isOnline}
          onClick={() => void run(() => connection.change(Resume, { input: { name } }, true))}
        >
          <Icon name="play" /> Resume
          <span className="hidden"> {name}</span>
        </button>
      )}
      {!isPaused && (
        <button
          type="button"
          className="button"
          disabled={isBusy || !isOnline}
          onClick={() => dialog.current?.showModal()}
        >
          <Icon name="pause" /> Pause
          <span className="hidden"> {name}</span>
        </button>
      )}
      {!isOnline && <span className="muted">Offline</span>}
      {problem !== undefined && !dialog.current?.open && (
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
      )}
      <dialog ref={dialog} aria-labelledby={`pause-${name}`} onClose={() => setProblem(undefined)}>
        <form className={styles['form']} onSubmit={pause}>
          <h2 id={`pause-${name}`}>Pause {name}</h2>
          <p>
            It receives no new work until it is resumed. Running requests end as usual.{' '}
            {queuedAttempts === 0
              ? 'No attempt waits for it now.'
              : `${queuedAttempts} queued ${queuedAttempts === 1 ? 'attempt waits' : 'attempts wait'}, or another provider takes them.`}
          </p>
          {models.length > 1 && (
            <label className="label">
              What
              <select className="field" name="model">
                <option value="">All models</option>
                {models.map((model) => (
                  <option key={model}>{model}</option>
                ))}
              </select>
            </label>
          )}
          <label className="label">
            Reason, for other operators
            <input
              className="field"
              name="reason"
              required
              maxLength={500}
              placeholder="Prices are checked"
            />
          </label>
          {problem !== undefined && (
            <p role="alert" className={styles['problem']}>
              {problem}
            </p>
          )}
          <div className={styles['actions']}>
            <button type="submit" className="button primary" disabled={isBusy}>
              Pause
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </div>
  )
}
