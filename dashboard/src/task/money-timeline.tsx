import { Link, useSearch } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import type { TaskAttempt, TaskDetail } from '../api/generated.ts'
import { formatExactTime, formatOffset } from '../format/time.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import styles from './money-timeline.module.css'
import { stepsOf } from './steps.ts'
import { verdictOf } from './verdict.ts'

/** Each attempt with its verdict, and the evidence for it. */
export function MoneyTimeline({ task }: { task: TaskDetail }) {
  const possibleCharges = task.attempts.filter(({ charged }) => charged !== 'NO').length
  if (task.attempts.length === 0) return <p className="muted">Nothing was sent, and nothing was charged.</p>
  return (
    <div className={styles['attempts']}>
      {possibleCharges > 1 && (
        <p className={styles['twice']}>
          {possibleCharges} attempts of this task were or may have been charged.
        </p>
      )}
      {task.attempts.map((attempt) => (
        <AttemptCard key={attempt.id} taskId={task.id} attempt={attempt} />
      ))}
    </div>
  )
}

function AttemptCard({ taskId, attempt }: { taskId: string; attempt: TaskAttempt }) {
  const { attempt: marked } = useSearch({ from: '/tasks/$id' })
  const isMarked = marked === attempt.id
  const card = useRef<HTMLElement>(null)
  useEffect(() => {
    if (isMarked) card.current?.scrollIntoView({ block: 'center' })
  }, [isMarked])
  const { text, tone } = verdictOf(attempt)
  const steps = stepsOf(attempt)
  const start = Date.parse(attempt.createdAt)
  const totalMs = Math.max(1, Date.parse(steps.at(-1)?.at ?? attempt.createdAt) - start)
  return (
    <section
      ref={card}
      className={styles['attempt']}
      aria-label={`Attempt ${attempt.number}`}
      aria-current={isMarked || undefined}
    >
      <header className={styles['head']}>
        <p className={styles['verdict']} data-tone={tone}>
          {text}
        </p>
        <p className="muted">
          <Link
            to="/tasks/$id"
            params={{ id: taskId }}
            search={(last) => ({ ...last, tab: undefined, attempt: attempt.id })}
            replace
            resetScroll={false}
          >
            Attempt {attempt.number}
          </Link>{' '}
          · {attempt.provider.name} · {attempt.state.toLowerCase().replace('_', ' ')}
          {usageText(attempt)}
        </p>
      </header>
      <div className={styles['axis']} aria-hidden="true">
        {steps.map((step, index) => (
          <span
            key={index}
            className={styles['mark']}
            data-tone={step.tone}
            style={{ left: `${((Date.parse(step.at) - start) / totalMs) * 100}%` }}
          />
        ))}
      </div>
      <ol className={styles['steps']}>
        {steps.map((step, index) => (
          <li key={index} className={styles['step']} data-tone={step.tone}>
            <time dateTime={step.at} title={formatExactTime(step.at)}>
              {formatOffset(attempt.createdAt, step.at)}
            </time>
            <span>{step.text}</span>
            {step.amount !== undefined && <span className={styles['amount']}>{step.amount}</span>}
          </li>
        ))}
      </ol>
      {attempt.error && (
        <p className={styles['error']}>
          {attempt.error.message} <span className="mono muted">{attempt.error.code}</span>
        </p>
      )}
      <dl className={styles['ids']}>
        <Id name="Attempt" id={attempt.id} />
        <Id name="Request id" id={attempt.providerRequestId} />
        <Id name="Remote id" id={attempt.remoteId} />
      </dl>
    </section>
  )
}

/** Tokens by which it was priced. */
function usageText({ usage }: TaskAttempt): string {
  if (usage?.totalTokens === null || usage?.totalTokens === undefined) return ''
  const tokens = ` · ${usage.totalTokens.toLocaleString('en')} tokens`
  return usage.source === 'ESTIMATED' ? `${tokens}, estimated` : tokens
}

function Id({ name, id }: { name: string; id: string | null }) {
  if (id === null) return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <CopyButton text={id} what={name.toLowerCase()} />
      </dd>
    </div>
  )
}
