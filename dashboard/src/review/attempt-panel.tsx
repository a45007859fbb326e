import { Link } from '@tanstack/react-router'
import { useEffect, useRef, type ReactNode } from 'react'
import type { ReviewAttempt, ReviewReason } from '../api/generated.ts'
import { PHASES, RESOLUTIONS } from '../format/attempt.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { formatExactTime } from '../format/time.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { Icon } from '../ui/icon.tsx'
import styles from './attempt-panel.module.css'
import { DecisionForm } from './decision-form.tsx'
import { FetchButton } from './fetch-button.tsx'
import type { Decisions } from './use-decisions.ts'

interface AttemptPanelProps {
  attempt: ReviewAttempt
  reason: ReviewReason
  decisions: Decisions
  canDecide: boolean
  onClose: () => void
}

/** Evidence, what to look for on the bill, and the decision. */
export function AttemptPanel({ attempt, reason, decisions, canDecide, onClose }: AttemptPanelProps) {
  const { task, advice, error } = attempt
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => title.current?.focus({ preventScroll: true }), [])
  return (
    <aside className={styles['panel']} aria-labelledby="attempt-title">
      <div className={styles['head']}>
        <h2 id="attempt-title" ref={title} tabIndex={-1}>
          {task.prompt || 'Deleted task'}
        </h2>
        <button type="button" className={styles['close']} title="Close (Esc)" onClick={onClose}>
          <Icon name="cross" size={16} />
          <span className="hidden">Close</span>
        </button>
      </div>
      <p>
        <Link to="/tasks/$id" params={{ id: task.id }}>
          Open the task
        </Link>
      </p>
      <p className={styles['advice']}>
        {reason === 'OUTCOME_UNKNOWN'
          ? advice.text
          : `The bill of ${attempt.provider.name} shows what was charged.`}
      </p>
      {error && (
        <p className={styles['error']}>
          {error.message} <span className="mono muted">{error.code}</span>
        </p>
      )}
      <h3>On the bill of {attempt.provider.name}</h3>
      <dl className={styles['facts']}>
        {attempt.providerRequestId !== null && (
          <Fact name="Request id">
            <CopyButton text={attempt.providerRequestId} what="request id" />
          </Fact>
        )}
        {attempt.remoteId !== null && (
          <Fact name="Job id">
            <CopyButton text={attempt.remoteId} what="job id" />
          </Fact>
        )}
        <Fact name="Sent">{attempt.sentAt === null ? 'not recorded' : utcText(attempt.sentAt)}</Fact>
        <Fact name="For">
          {task.model}, {task.size}, {task.quality.toLowerCase()}
          {task.n > 1 && `, ${task.n} images`}
        </Fact>
        <Fact name="At most">
          <span title={formatExactMoney(attempt.heldMicros)}>
            {attempt.heldMicros === null
              ? 'unknown, the model has no price'
              : formatMoney(attempt.heldMicros)}
          </span>
        </Fact>
      </dl>
      <h3>Evidence</h3>
      <dl className={styles['facts']}>
        <Fact name="Request">{PHASES[attempt.wirePhase]}</Fact>
        <Fact name="HTTP">{attempt.httpStatus ?? 'no status received'}</Fact>
        <Fact name="Ended">
          {attempt.finishedAt === null ? 'not yet' : formatExactTime(attempt.finishedAt)}
        </Fact>
        <Fact name="Attempt">
          <CopyButton text={attempt.id} what="attempt id" />
        </Fact>
      </dl>
      {attempt.decisions.length > 0 && (
        <>
          <h3>Decided before</h3>
          <ul className={styles['decisions']}>
            {attempt.decisions.map(({ at, by, note, resolution, costMicros }) => (
              <li key={at}>
                {resolution === null ? `cost ${formatMoney(costMicros)}` : RESOLUTIONS[resolution]},{' '}
                {by ?? 'unknown'}
                {note !== null && `: ${note}`} <span className="muted">{formatExactTime(at)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {canDecide && advice.canFetch && <FetchButton id={attempt.id} />}
      {canDecide && <DecisionForm attempt={attempt} reason={reason} decisions={decisions} onDone={onClose} />}
    </aside>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Bills of providers use UTC. */
function utcText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`
}
