import { Link } from '@tanstack/react-router'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Measures, Usage, UsageGroup } from '../api/generated.ts'
import { formatExactMoney, formatMoney } from '../format/money.ts'
import { longPeriodName } from '../format/zone.ts'
import { Icon } from '../ui/icon.tsx'
import { useRovingFocus } from '../ui/roving-focus.ts'
import { formatCount, heldOf, SPLIT_TEXTS, valueText } from './names.ts'
import type { Question } from './question.ts'
import { periodOf, splitValue } from './series.ts'
import type { FilterName } from './usage-search.ts'
import styles from './usage-table.module.css'

interface UsageTableProps {
  report: Usage
  question: Question
  names: ReadonlyMap<string, string>
}

type Column =
  | 'period'
  | 'split'
  | 'tasks'
  | 'attempts'
  | 'images'
  | 'totalTokens'
  | 'costMicros'
  | 'heldMicros'
  | 'attemptsWithUnknownCost'

const COLUMNS: readonly { name: Column; text: string; isNumber: boolean }[] = [
  { name: 'period', text: 'Time', isNumber: false },
  { name: 'split', text: '', isNumber: false },
  { name: 'tasks', text: 'Tasks', isNumber: true },
  { name: 'attempts', text: 'Attempts', isNumber: true },
  { name: 'images', text: 'Images', isNumber: true },
  { name: 'totalTokens', text: 'Tokens', isNumber: true },
  { name: 'heldMicros', text: 'Held', isNumber: true },
  { name: 'attemptsWithUnknownCost', text: 'Unknown', isNumber: true },
  { name: 'costMicros', text: 'Cost', isNumber: true },
]

const ROW_PX = 41
const CARD_PX = 112
const NARROW = '(max-width: 720px)'

/** The rows of the report, which are those of the CSV. Only rows near the window are in the document. */
export function UsageTable({ report, question, names }: UsageTableProps) {
  const [sort, setSort] = useState<{ column: Column; isDescending: boolean }>({
    column: 'period',
    isDescending: true,
  })
  const body = useRef<HTMLTableSectionElement>(null)
  const [top, setTop] = useState(0)
  const isNarrow = useMedia(NARROW)
  const rows = useMemo(
    () =>
      sortRows(
        report.rows,
        sort,
        (row) => valueText(splitValue(row, question.split), question.split, names),
        question,
      ),
    [report, sort, question, names],
  )
  useLayoutEffect(() => {
    const measure = () => setTop(Math.round((body.current?.getBoundingClientRect().top ?? 0) + scrollY))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])
  const height = isNarrow ? CARD_PX : ROW_PX
  const roving = useRovingFocus<HTMLTableSectionElement>(1, body)
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    scrollMargin: top,
    overscan: 8,
  })
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, height])
  const items = virtualizer.getVirtualItems()
  const before = (items[0]?.start ?? top) - top
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? top) - top)
  const splitName = question.split === 'METADATA' ? (question.metadataKey ?? '') : SPLIT_TEXTS[question.split]

  return (
    <table className={styles['table']} aria-rowcount={rows.length + 2}>
      <caption className="hidden">Usage by time and {splitName.toLowerCase()}</caption>
      <thead>
        <tr>
          {COLUMNS.map(({ name, text, isNumber }) => {
            const isSorted = sort.column === name
            const order = isSorted ? (sort.isDescending ? 'descending' : 'ascending') : 'none'
            return (
              <th key={name} scope="col" data-number={isNumber || undefined} aria-sort={order}>
                <button
                  type="button"
                  onClick={() =>
                    setSort({ column: name, isDescending: isSorted ? !sort.isDescending : name !== 'split' })
                  }
                >
                  {text || splitName}
                  <span className={styles['arrow']} data-on={isSorted || undefined}>
                    <Icon name={sort.isDescending || !isSorted ? 'down' : 'up'} size={11} />
                  </span>
                </button>
              </th>
            )
          })}
          <th scope="col">
            <span className="hidden">Live</span>
          </th>
        </tr>
        <tr className={styles['totals']}>
          <th scope="row">Total</th>
          <td className={styles['blank']} />
          <Numbers of={report.totals} />
          <td className={styles['blank']} />
        </tr>
      </thead>
      <tbody {...roving}>
        {before > 0 && <tr aria-hidden="true" style={{ height: before }} />}
        {items.map(({ index, key }) => {
          const row = rows[index]!
          const period = periodOf(row, question.unit)
          const value = splitValue(row, question.split)
          return (
            <tr key={key} aria-rowindex={index + 3} data-row data-roving>
              <th scope="row">
                {period && longPeriodName(question.unit, Date.parse(period.startsAt), question.timeZone)}
              </th>
              <td className={styles['name']}>
                <OnlyLink question={question} value={value} text={valueText(value, question.split, names)} />
              </td>
              <Numbers of={row} />
              <td className={styles['open']}>
                <LiveLink question={question} value={value} period={period} />
              </td>
            </tr>
          )
        })}
        {after > 0 && <tr aria-hidden="true" style={{ height: after }} />}
      </tbody>
    </table>
  )
}

function Numbers({ of }: { of: Measures }) {
  const unknown = of.attemptsWithUnknownCost
  return (
    <>
      <td data-number data-label="tasks">
        {formatCount(of.tasks)}
      </td>
      <td data-number data-label="attempts">
        {formatCount(of.attempts)}
      </td>
      <td data-number data-label="images">
        {formatCount(of.images)}
      </td>
      <td data-number data-label="tokens" data-unknown={of.totalTokens === null || undefined}>
        {formatCount(of.totalTokens)}
      </td>
      <Money micros={heldOf(of)} label="held" isZero={heldOf(of) === 0} />
      <td data-number data-label="unknown" data-zero={unknown === 0 || undefined}>
        {unknown}
      </td>
      <Money micros={of.costMicros} label="cost" isZero={false} />
    </>
  )
}

/** On focus and hover it shows the whole amount. */
function Money({ micros, label, isZero }: { micros: number | null; label: string; isZero: boolean }) {
  return (
    <td
      data-number
      data-label={label}
      data-unknown={micros === null || undefined}
      data-zero={isZero || undefined}
    >
      <span title={formatExactMoney(micros)}>{formatMoney(micros)}</span>
    </td>
  )
}

const FILTERS_OF: Partial<Record<Question['split'], FilterName>> = {
  MODEL: 'model',
  PROVIDER: 'provider',
  API_KEY: 'api_key',
  USER: 'user',
  OPERATION: 'operation',
  QUALITY: 'quality',
  SIZE: 'size',
  STATUS: 'status',
}

/** The report with this value only. A comma separates values in the address, so one with a comma cannot be chosen. */
function OnlyLink({ question, value, text }: { question: Question; value: string | null; text: string }) {
  const filter = FILTERS_OF[question.split]
  if (!filter || value === null || value.includes(',')) return <span>{text}</span>
  return (
    <Link
      from="/usage"
      to="/usage"
      search={(last) => ({ ...last, [filter]: [value] })}
      resetScroll={false}
      title={`Only ${text}`}
    >
      {text}
    </Link>
  )
}

const LIVE_FILTERS: Partial<Record<Question['split'], 'model' | 'provider' | 'op' | 'status' | 'key'>> = {
  MODEL: 'model',
  PROVIDER: 'provider',
  OPERATION: 'op',
  API_KEY: 'key',
  STATUS: 'status',
}

/** Tasks of the row, as far as Live can filter by it. */
function LiveLink({
  question,
  value,
  period,
}: {
  question: Question
  value: string | null
  period: { startsAt: string; endsAt: string } | null | undefined
}) {
  const filter = LIVE_FILTERS[question.split]
  if (!filter || value === null || question.isOfAllProjects) return null
  const search = {
    ...(filter === 'status' ? { status: [value as 'FAILED'] } : { [filter]: value }),
    ...(period && { from: minuteOf(period.startsAt), to: minuteOf(period.endsAt) }),
  }
  return (
    <Link to="/" search={search} title={`Tasks with ${value}`}>
      Live<span className="hidden"> with {value}</span>
    </Link>
  )
}

/** Periods begin at full minutes. */
function minuteOf(at: string): string {
  return `${at.slice(0, 16)}Z`
}

function sortRows(
  rows: readonly UsageGroup[],
  { column, isDescending }: { column: Column; isDescending: boolean },
  nameOf: (row: UsageGroup) => string,
  { unit }: Question,
): UsageGroup[] {
  const sign = isDescending ? -1 : 1
  // Unknown amounts come last in either order.
  const key = (row: UsageGroup) =>
    column === 'period' || column === 'split' ? Date.parse(periodOf(row, unit)?.startsAt ?? '') : row[column]
  return rows.toSorted((a, b) => {
    if (column === 'split') return sign * nameOf(a).localeCompare(nameOf(b)) || key(b)! - key(a)!
    const [left, right] = [key(a), key(b)]
    if (left === null || right === null) return Number(left === null) - Number(right === null)
    return sign * (left - right)
  })
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useLayoutEffect(() => {
    const media = matchMedia(query)
    const update = () => setMatches(media.matches)
    media.addEventListener('change', update)
    return () => media.removeEventListener('change', update)
  }, [query])
  return matches
}
