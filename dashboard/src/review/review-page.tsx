import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ListReview, ReadReviewSummary, type ReviewReason } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'
import { useReviewSummary } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { AttemptPanel } from './attempt-panel.tsx'
import { REASONS } from './review-search.ts'
import { ReviewTable } from './review-table.tsx'
import styles from './review-page.module.css'
import { useDecisions } from './use-decisions.ts'
import { useReviewList } from './use-review-list.ts'

export function ReviewPage() {
  const { may } = useSession()
  if (!may('READ')) return <NoRight scope="READ" text="This key may not read attempts" />
  return <ReviewView />
}

const TEXTS: Readonly<Record<ReviewReason, string>> = {
  OUTCOME_UNKNOWN: 'Outcome unknown',
  COST_UNKNOWN: 'Cost unknown',
  COST_ESTIMATED: 'Cost estimated',
}
const HINTS: Readonly<Record<ReviewReason, string>> = {
  OUTCOME_UNKNOWN:
    'Sent, and no proof whether an image was made. Darkroom sends them again only after a decision.',
  COST_UNKNOWN: 'Charged, or possibly charged, without a known amount. The bill of the provider has it.',
  COST_ESTIMATED:
    'Counted with an estimate, because the amount stayed unknown. An amount from the bill replaces it.',
}

function ReviewView() {
  const { review, may } = useSession()
  const { reason = 'OUTCOME_UNKNOWN', attempt: openId } = useSearch({ from: '/review' })
  const navigate = useNavigate({ from: '/review' })
  const summary = useReviewSummary(review)
  const list = useReviewList(reason)
  const decisions = useDecisions(list.reload)
  const { kept } = decisions
  const listed = list.attempts ?? []
  const gone = kept.filter(({ id }) => !listed.some((one) => one.id === id))
  const attempts = [...gone, ...listed]
  const open = attempts.find(({ id }) => id === openId)
  const counts = {
    OUTCOME_UNKNOWN: summary?.outcomeUnknown ?? 0,
    COST_UNKNOWN: summary?.costUnknown ?? 0,
    COST_ESTIMATED: summary?.costEstimated ?? 0,
  }

  function show(id: string | undefined): void {
    void navigate({
      search: (last) => ({ ...last, attempt: id }),
      replace: openId !== undefined,
      resetScroll: false,
    })
  }

  useEffect(() => {
    function onKey({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): void {
      if (openId === undefined || ctrlKey || metaKey || altKey) return
      if (document.querySelector('dialog[open]')) return
      if (target instanceof HTMLElement && target.matches('input, textarea, select')) return
      if (key === 'Escape') show(undefined)
      if (key !== 'j' && key !== 'k') return
      const next = attempts[attempts.findIndex(({ id }) => id === openId) + (key === 'j' ? 1 : -1)]
      if (next) show(next.id)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  })

  const isEmpty = list.attempts !== undefined && attempts.length === 0
  return (
    <div className={styles['page']}>
      <PageHead
        title="Review"
        note={summary && summary.heldMicros > 0 ? `${formatMoney(summary.heldMicros)} held` : undefined}
      >
        <QueryButton
          queries={[
            { text: 'List', document: ListReview, variables: { reason, first: 50 } },
            { text: 'Counts', document: ReadReviewSummary },
          ]}
        />
      </PageHead>
      <div className={styles['tabs']} role="group" aria-label="Why">
        {REASONS.filter((one) => one !== 'COST_ESTIMATED' || counts[one] > 0 || one === reason).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === reason}
            onClick={() => {
              decisions.dismiss()
              void navigate({ search: { reason: one === 'OUTCOME_UNKNOWN' ? undefined : one } })
            }}
          >
            {TEXTS[one]} <span className={styles['number']}>{counts[one]}</span>
          </button>
        ))}
      </div>
      <p className={styles['hint']}>{HINTS[reason]}</p>
      {list.error && <Problem error={list.error} onRetry={list.reload} />}
      {list.attempts === undefined && !list.error && <div className={styles['skeleton']} aria-busy="true" />}
      {isEmpty && (
        <div className={styles['empty']}>
          <Icon name="check" size={28} />
          <p>{reason === 'OUTCOME_UNKNOWN' ? 'Every outcome is known.' : 'Nothing waits for an amount.'}</p>
        </div>
      )}
      {attempts.length > 0 && (
        <div className={styles['columns']} data-open={open !== undefined || undefined}>
          <div className={styles['list']}>
            <ReviewTable
              attempts={attempts}
              reason={reason}
              openId={openId}
              decisions={decisions}
              canDecide={may('ADMIN')}
            />
            {list.hasMore && (
              <button type="button" className="button" onClick={list.readMore}>
                Show more
              </button>
            )}
            {may('ADMIN') && <BulkBar attempts={attempts} reason={reason} decisions={decisions} />}
          </div>
          {open && (
            <AttemptPanel
              key={open.id}
              attempt={open}
              reason={reason}
              decisions={decisions}
              canDecide={may('ADMIN') && !gone.includes(open)}
              onClose={() => show(undefined)}
            />
          )}
        </div>
      )}
    </div>
  )
}
