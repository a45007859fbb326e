import { useRef, useState, type FormEvent } from 'react'
import type { ReviewAttempt, ReviewReason } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'
import { useOnline } from '../live/hooks.ts'
import styles from './bulk-bar.module.css'
import { NoteField } from './note-field.tsx'
import { effectOf, MAX_UNTYPED, type Bulk } from './effect.ts'
import { readAmounts } from './amounts.ts'
import type { Decisions } from './use-decisions.ts'

interface BulkBarProps {
  attempts: readonly ReviewAttempt[]
  reason: ReviewReason
  decisions: Decisions
}

type Action = Bulk | 'COSTS'

const TITLES: Readonly<Record<Action, string>> = {
  NOT_CHARGED: 'Not charged',
  CHARGED_RESULT_LOST: 'Charged, result lost',
  COSTS: 'Save all amounts',
}

/** What can be done with the selected rows, and with the amounts that were typed. */
export function BulkBar({ attempts, reason, decisions }: BulkBarProps) {
  const isOnline = useOnline()
  const dialog = useRef<HTMLDialogElement>(null)
  /** As chosen when the dialog was opened: the list may change meanwhile. */
  const [asked, setAsked] = useState<{ action: Action; attempts: readonly ReviewAttempt[]; effect: string }>()
  const chosen = attempts.filter(({ id }) => decisions.selected.has(id))
  const { costs, invalid } = readAmounts(decisions.amounts)
  if (chosen.length === 0 && costs.size + invalid === 0 && !asked) return null
  const sum = [...costs.values()].reduce((total, micros) => total + micros, 0)
  const hasAmounts = costs.size + invalid > 0

  function open(action: Action): void {
    const isCosts = action === 'COSTS'
    setAsked({
      action,
      attempts: isCosts ? attempts.filter(({ id }) => costs.has(id)) : chosen,
      effect: isCosts
        ? `Records ${formatMoney(sum)} as the cost of ${costs.size} ${costs.size === 1 ? 'attempt' : 'attempts'}.`
        : effectOf(action, reason, chosen),
    })
    dialog.current?.showModal()
  }

  return (
    <div className={styles['bar']} role="region" aria-label="Decisions">
      {hasAmounts ? (
        <>
          <span className={styles['count']}>
            <strong>
              {costs.size} {costs.size === 1 ? 'amount' : 'amounts'}
            </strong>
            , {formatMoney(sum)}
            {invalid > 0 && <span className={styles['invalid']}>, {invalid} not an amount</span>}
          </span>
          <button
            type="button"
            className="button primary"
            disabled={!isOnline || invalid > 0}
            onClick={() => open('COSTS')}
          >
            Save all
          </button>
        </>
      ) : (
        <>
          <strong className={styles['count']}>{chosen.length} selected</strong>
          <button type="button" className="button" disabled={!isOnline} onClick={() => open('NOT_CHARGED')}>
            Not charged
          </button>
          <button
            type="button"
            className="button"
            disabled={!isOnline}
            onClick={() => open('CHARGED_RESULT_LOST')}
          >
            {reason === 'OUTCOME_UNKNOWN' ? 'Charged, result lost' : 'Charged as held'}
          </button>
        </>
      )}
      <button type="button" className="button quiet" onClick={decisions.dismiss}>
        Clear
      </button>
      {!isOnline && <span className="muted">Offline</span>}
      <dialog ref={dialog} aria-labelledby="bulk-title" onClose={() => setAsked(undefined)}>
        {asked && (
          <Confirmation
            {...asked}
            decide={(decided, note) =>
              asked.action === 'COSTS'
                ? decisions.saveCosts(decided, costs, note)
                : decisions.resolveAll(decided, asked.action, note)
            }
            close={() => dialog.current?.close()}
          />
        )}
      </dialog>
    </div>
  )
}

interface ConfirmationProps {
  action: Action
  attempts: readonly ReviewAttempt[]
  effect: string
  decide: (attempts: readonly ReviewAttempt[], note: string) => Promise<void>
  close: () => void
}

function Confirmation({ action, attempts, effect, decide, close }: ConfirmationProps) {
  const count = attempts.length
  const mustType = count > MAX_UNTYPED
  const [note, setNote] = useState('')
  const [typed, setTyped] = useState('')
  const [problem, setProblem] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  const isReady = note.trim() !== '' && (!mustType || typed.trim() === String(count))

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (!isReady) return
    setIsBusy(true)
    setProblem(undefined)
    try {
      await decide(attempts, note.trim())
      close()
    } catch (error) {
      setProblem((error as Error).message)
      setIsBusy(false)
    }
  }

  return (
    <form className={styles['form']} onSubmit={(event) => void submit(event)}>
      <h2 id="bulk-title">{TITLES[action]}</h2>
      <p>
        {count} {count === 1 ? 'attempt' : 'attempts'}. {effect}
      </p>
      <NoteField example="Bill of November" note={note} setNote={setNote} />
      {mustType && (
        <label className="label">
          Type {count} to confirm
          <input
            className="field"
            required
            inputMode="numeric"
            autoComplete="off"
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
          />
        </label>
      )}
      {problem !== undefined && (
        <p role="alert" className={styles['problem']}>
          {problem}
        </p>
      )}
      <p className="muted">This cannot be undone.</p>
      <div className={styles['row']}>
        <button type="submit" className="button primary" disabled={!isReady || isBusy}>
          {isBusy ? 'Recording' : 'Record'}
        </button>
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  )
}
