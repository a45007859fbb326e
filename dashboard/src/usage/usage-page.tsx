import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ReadUsage, WatchUsage } from '../api/generated.ts'
import { startOf, shift } from '../format/zone.ts'
import { useNow } from '../live/hooks.ts'
import { useSession } from '../session/context.ts'
import { NoRight } from '../shell/no-right.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Problem } from '../ui/problem.tsx'
import { QueryButton } from '../ui/query-button.tsx'
import { Chart } from './chart.tsx'
import { Controls } from './controls.tsx'
import { CsvButton } from './csv-button.tsx'
import { Figures } from './figures.tsx'
import { questionOf, variablesOf } from './question.ts'
import { UsageTable } from './usage-table.tsx'
import styles from './usage-page.module.css'
import { SLOW_SPLITS } from './usage-search.ts'
import { useNames, useUsage } from './use-usage.ts'

const MINUTE_MS = 60_000

export function UsagePage() {
  const { may } = useSession()
  if (!may('REPORT')) return <NoRight scope="REPORT" text="This key may not read reports" />
  return <UsageView />
}

function UsageView() {
  const { viewer, may } = useSession()
  const search = useSearch({ from: '/usage' })
  const navigate = useNavigate({ from: '/usage' })
  const browserZone = useMemo(() => Intl.DateTimeFormat().resolvedOptions().timeZone, [])
  const isOfAll = search.all === 1 && viewer.isOperator
  // Ranges that end now begin at the start of an hour: they move on once per hour.
  const hour = startOf('HOUR', useNow(MINUTE_MS), 'UTC')
  const key = JSON.stringify({ ...search, all: isOfAll ? 1 : undefined })
  const question = useMemo(
    () => questionOf(JSON.parse(key) as typeof search, Math.max(hour, Date.now()), browserZone),
    [key, hour, browserZone],
  )
  const { report, answered, error, isReading, reload } = useUsage(question, true)
  const names = useNames(question.split)
  const variables = variablesOf(question)
  const isEmpty = report !== undefined && report.rows.length === 0
  const end = (answered ?? question).to ?? Date.parse(report?.to ?? '')

  function show(from: number, to: number): void {
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
    void navigate({
      search: (last) => ({ ...last, ...range, range: undefined, by: undefined }),
      resetScroll: false,
    })
  }

  function zoomOut(): void {
    const to = question.to ?? Date.now()
    const days = Math.max(1, Math.round((to - question.from) / 86_400_000))
    const { timeZone } = question
    show(
      shift('DAY', startOf('DAY', question.from, timeZone), -days, timeZone),
      Math.min(shift('DAY', startOf('DAY', to - 1, timeZone), days + 1, timeZone), Date.now()),
    )
  }

  return (
    <div className={styles['page']}>
      <PageHead title="Usage" note={question.to === null && report ? 'updates live' : undefined}>
        {search.from !== undefined && (
          <button type="button" className="button" onClick={zoomOut}>
            <Icon name="zoomOut" /> Zoom out
          </button>
        )}
        <QueryButton
          queries={[
            question.to === null && !isOfAll
              ? { text: 'Live report', document: WatchUsage, variables }
              : {
                  text: 'Report',
                  document: ReadUsage,
                  variables: {
                    ...variables,
                    to: new Date(question.to ?? hour).toISOString(),
                    ...(isOfAll && { allProjects: true }),
                  },
                },
          ]}
        />
        <CsvButton question={question} search={search} to={report?.to} />
      </PageHead>
      <Controls search={search} question={question} browserZone={browserZone} />
      {isReading && SLOW_SPLITS.includes(question.split) && (
        <p className={styles['slow']} role="status">
          The server reads every attempt of the range. A long range takes seconds.
        </p>
      )}
      {error && <Problem error={error} onRetry={reload} />}
      {!error && (
        <div
          className={styles['report']}
          data-stale={(isReading && report !== undefined) || undefined}
          aria-busy={isReading}
        >
          <Figures totals={report?.totals} />
          {isEmpty ? (
            <div className={styles['empty']}>
              <Icon name="bars" size={28} />
              <p>No task was sent in this range.</p>
              {may('GENERATE') && may('READ') && (
                <Link to="/" className="button">
                  Make a picture
                </Link>
              )}
            </div>
          ) : (
            <section className={styles['card']} aria-label="Over time">
              <Chart
                report={report}
                question={answered ?? question}
                measure={search.measure ?? 'cost'}
                names={names}
                end={end}
                onZoom={show}
              />
            </section>
          )}
          {report && answered && report.rows.length > 0 && (
            <section className={styles['rows']} aria-label="Rows">
              <UsageTable report={report} question={answered} names={names} />
            </section>
          )}
          <p className={styles['foot']}>
            An attempt counts in the period in which it was queued. Budgets use days and months of UTC.
          </p>
        </div>
      )}
    </div>
  )
}
