import { useState, type FormEvent } from 'react'
import type { AttemptResolution, ReviewAttempt, ReviewReason } from '../api/generated.ts'
import { parseMoney } from '../format/money.ts'
import { useOnline } from '../live/hooks.ts'
import styles from './decision-form.module.css'
import { NoteField } from './note-field.tsx'
import { effectOf } from './effect.ts'
import type { Decisions } from './use-decisions.ts'

interface DecisionFormProps {
  attempt: ReviewAttempt
  reason: ReviewReason
  decisions: Decisions
  onDone: () => void
}

type Choice = AttemptResolution | 'COST'

const TITLES: Readonly<Record<Choice, string>> = {
  COST: 'The bill has an amount',
  NOT_CHARGED: 'Not charged',
  CHARGED_RESULT_LOST: 'Charged, result lost',
  ADOPT_REMOTE_ID: 'The provider knows it by an id',
}

/** One attempt, decided by what was learned from the provider. */
export function DecisionForm({ attempt, reason, decisions, onDone }: DecisionFormProps) {
  const isOnline = useOnline()
  const choices = choicesOf(attempt, reason)
  const [choice, setChoice] = useState<Choice>()
  const [detail, setDetail] = useState('')
  const [note, setNote] = useState('')
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  const micros = parseMoney(detail)
  const isReady =
    choice !== undefined &&
    note.trim() !== '' &&
    (choice !== 'COST' || micros !== undefined) &&
    (choice !== 'ADOPT_REMOTE_ID' || detail.trim() !== '')

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (!isReady) return
    setIsBusy(true)
    setProblem(undefined)
    try {
      const { id } = attempt
      if (choice === 'COST') await decisions.saveCosts([attempt], new Map([[id, micros ?? 0]]), note.trim())
      else if (reason !== 'OUTCOME_UNKNOWN' && choice !== 'ADOPT_REMOTE_ID')
        await decisions.resolveAll([attempt], choice, note.trim())
      else
        await decisions.resolveOne({
          id,
          resolution: choice,
          note: note.trim(),
          ...(choice === 'ADOPT_REMOTE_ID' && { remoteId: detail.trim() }),
        })
      onDone()
    } catch (error) {
      setProblem((error as Error).message)
      setIsBusy(false)
    }
  }

  return (
    <form className={styles['form']} onSubmit={(event) => void submit(event)}>
      <fieldset>
        <legend>What happened at the provider?</legend>
        {choices.map((one) => (
          <label key={one} className={styles['choice']}>
            <input
              type="radio"
              name="resolution"
              checked={one === choice}
              onChange={() => {
                setChoice(one)
                setDetail(one === 'ADOPT_REMOTE_ID' ? (attempt.remoteId ?? '') : '')
              }}
            />
            <span>
              <strong>{TITLES[one]}</strong>
              <span className={styles['effect']}>{effectText(one, reason, attempt)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {choice === 'COST' && (
        <label className="label">
          Billed amount in USD
          <input
            className="field"
            inputMode="decimal"
            placeholder="0.04"
            required
            value={detail}
            aria-invalid={detail !== '' && micros === undefined}
            onChange={({ target }) => setDetail(target.value)}
          />
        </label>
      )}
      {choice === 'ADOPT_REMOTE_ID' && (
        <label className="label">
          Id of the job at the provider
          <input
            className="field mono"
            required
            value={detail}
            onChange={({ target }) => setDetail(target.value)}
          />
        </label>
      )}
      <NoteField example="Bill of November, line 12" note={note} setNote={setNote} />
      {problem !== undefined && (
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
      )}
      <button type="submit" className="button primary" disabled={!isReady || isBusy || !isOnline}>
        Record the decision
      </button>
      <p className="muted">
        {isOnline ? 'A decision cannot be undone.' : 'Offline: decisions wait for a network.'}
      </p>
    </form>
  )
}

function choicesOf({ advice, heldMicros, estimatedMicros }: ReviewAttempt, reason: ReviewReason): Choice[] {
  if (reason === 'OUTCOME_UNKNOWN') return advice.resolutions
  const hasAmount = (estimatedMicros ?? heldMicros) !== null
  return ['COST', 'NOT_CHARGED', ...(hasAmount ? (['CHARGED_RESULT_LOST'] as const) : [])]
}

function effectText(choice: Choice, reason: ReviewReason, attempt: ReviewAttempt): string {
  if (choice === 'COST') return 'Records it as the cost.'
  if (choice === 'ADOPT_REMOTE_ID') return 'It is polled, and its result is stored.'
  return effectOf(choice, reason, [attempt])
}
