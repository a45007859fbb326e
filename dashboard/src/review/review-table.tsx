import { Link } from '@tanstack/react-router'
import type { ReviewAttempt, ReviewReason } from '../api/generated.ts'
import { PHASES, SHORT_PHASES } from '../format/attempt.ts'
import { formatExactMoney, formatMoney, parseMoney } from '../format/money.ts'
import { formatExactTime, formatWait } from '../format/time.ts'
import { useNow } from '../live/hooks.ts'
import { Icon } from '../ui/icon.tsx'
import { Picture } from '../ui/picture.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { MAX_SELECTED } from './effect.ts'
import styles from './review-table.module.css'
import type { Decisions } from './use-decisions.ts'

interface ReviewTableProps {
  attempts: readonly ReviewAttempt[]
  reason: ReviewReason
  openId: string | undefined
  decisions: Decisions
  canDecide: boolean
}

const AGES_MS = 15_000

/** Attempts, oldest first. Those that may be decided have a checkbox, and a field for the amount if it is unknown. */
export function ReviewTable({ attempts, reason, openId, decisions, canDecide }: ReviewTableProps) {
  const now = useNow(AGES_MS)
  const { selected, select, problems } = decisions
  const choosable = attempts.slice(0, MAX_SELECTED)
  const areAllChosen = choosable.every(({ id }) => selected.has(id))
  const hasAmounts = canDecide && reason !== 'OUTCOME_UNKNOWN'
  // A column of amounts is filled from field to field.
  const roving = useRovingFocus<HTMLTableSectionElement>()

  function toggle(id: string): void {
    const rest = [...selected].filter((one) => one !== id)
    if (rest.length < selected.size) select(rest)
    else if (selected.size < MAX_SELECTED) select([...selected, id])
  }

  return (
    <table className={styles['table']}>
      <caption className="hidden">Attempts that need review</caption>
      <thead>
        <tr>
          {canDecide && (
            <th className={styles['check']}>
              <label>
                <input
                  type="checkbox"
                  checked={areAllChosen}
                  onChange={() => select(areAllChosen ? [] : choosable.map(({ id }) => id))}
                />
                <span className="hidden">Select the first {choosable.length}</span>
              </label>
            </th>
          )}
          <th scope="col">Task</th>
          <th scope="col">Age</th>
          <th scope="col">Provider</th>
          <th scope="col">Evidence</th>
          <th scope="col" data-number>
            {reason === 'COST_ESTIMATED' ? 'Estimate' : 'Held'}
          </th>
          {hasAmounts && <th scope="col">Billed, USD</th>}
        </tr>
      </thead>
      <tbody {...(!hasAmounts && roving)}>
        {attempts.map((attempt) => (
          <Row
            key={attempt.id}
            attempt={attempt}
            now={now}
            isOpen={attempt.id === openId}
            problem={problems.get(attempt.id)}
            check={
              canDecide ? { isOn: selected.has(attempt.id), toggle: () => toggle(attempt.id) } : undefined
            }
            amount={
              hasAmounts
                ? {
                    text: decisions.amounts.get(attempt.id) ?? '',
                    set: (text) => decisions.setAmount(attempt.id, text),
                  }
                : undefined
            }
          />
        ))}
      </tbody>
    </table>
  )
}

interface RowProps {
  attempt: ReviewAttempt
  now: number
  isOpen: boolean
  problem: string | undefined
  check: { isOn: boolean; toggle: () => void } | undefined
  amount: { text: string; set: (text: string) => void } | undefined
}

function Row({ attempt, now, isOpen, problem, check, amount }: RowProps) {
  const { id, task, provider, wirePhase, httpStatus, heldMicros, estimatedMicros } = attempt
  const at = attempt.sentAt ?? attempt.createdAt
  const image = task.images[0] ?? task.partialImages.at(-1)?.image
  const most = estimatedMicros ?? heldMicros
  return (
    <tr data-open={isOpen || undefined} data-attempt={id} data-roving>
      {check && (
        <td className={styles['check']}>
          <label>
            <input type="checkbox" checked={check.isOn} onChange={check.toggle} />
            <span className="hidden">Select {task.prompt}</span>
          </label>
        </td>
      )}
      <td className={styles['task']}>
        <div className={styles['both']}>
          <span className={styles['thumb']}>
            {image ? <Picture image={image} alt="" sizes="44px" /> : <Icon name="question" size={18} />}
          </span>
          <span className={styles['words']}>
            <Link
              to="/review"
              search={(last) => ({ ...last, attempt: isOpen ? undefined : id })}
              resetScroll={false}
              className={styles['prompt']}
              aria-expanded={isOpen}
            >
              {task.prompt || 'deleted task'}
            </Link>
            <span className={`mono ${styles['second']}`}>{id}</span>
            {problem !== undefined && (
              <span className={styles['problem']} role="alert">
                {problem}
              </span>
            )}
          </span>
        </div>
      </td>
      <td data-label="age">
        <span title={formatExactTime(at)}>{formatWait(now - Date.parse(at))}</span>
        <span className={styles['second']}>{shortTime(at)}</span>
      </td>
      <td data-label="provider">
        {provider.name}
        <span className={styles['second']}>{task.model}</span>
      </td>
      <td data-label="evidence" className={styles['evidence']}>
        <span title={PHASES[wirePhase]}>{SHORT_PHASES[wirePhase]}</span>
        <span className={styles['second']}>
          {httpStatus === null ? 'no HTTP status' : `HTTP ${httpStatus}`}
        </span>
      </td>
      <td data-number data-label="held" data-unknown={most === null || undefined}>
        <span title={formatExactMoney(most)}>{formatMoney(most)}</span>
      </td>
      {amount && (
        <td data-label="amount">
          <input
            className={`field ${styles['amount']}`}
            inputMode="decimal"
            placeholder="0.00"
            aria-label={`Billed amount in USD of ${id}`}
            value={amount.text}
            aria-invalid={amount.text !== '' && parseMoney(amount.text) === undefined}
            onChange={({ target }) => amount.set(target.value)}
          />
        </td>
      )}
    </tr>
  )
}

function shortTime(at: string): string {
  return new Date(at).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
}
