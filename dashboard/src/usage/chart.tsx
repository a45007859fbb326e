import { useMemo } from 'react'
import type { Usage } from '../api/generated.ts'
import { formatMoney } from '../format/money.ts'
import { longPeriodName, periodName, periodsOf } from '../format/zone.ts'
import { BarChart, Swatch } from './bar-chart.tsx'
import styles from './chart.module.css'
import { formatMeasure, formatTick, MEASURE_TEXTS, seriesText, SPLIT_TEXTS } from './names.ts'
import type { Question } from './question.ts'
import { stackRows, type Stack } from './series.ts'
import type { Measure } from './usage-search.ts'

interface ChartProps {
  report: Usage | undefined
  question: Question
  measure: Measure
  names: ReadonlyMap<string, string>
  end: number
  onZoom: (from: number, to: number) => void
}

/** Stacked bars with their legend. */
export function Chart({ report, question, measure, names, end, onZoom }: ChartProps) {
  const { unit, split, timeZone, from } = question
  const data = useMemo(() => {
    if (!report) return undefined
    const to = Number.isNaN(end) ? Date.parse(report.to) : end
    const starts = periodsOf(unit, { from, to, timeZone })
    return stackRows(report.rows, { unit, split, measure, starts, end: to })
  }, [report, unit, split, measure, from, end, timeZone])
  if (!report || !data) return <div className={styles['skeleton']} />

  const text = (value: number | null) => formatMeasure(value, measure)
  const held = data.stacks.reduce((sum, stack) => sum + stack.held, 0)
  const total =
    measure === 'cost'
      ? report.totals.costMicros
      : measure === 'tokens'
        ? report.totals.totalTokens
        : report.totals[measure]
  const largest = data.stacks.reduce<Stack | undefined>(
    (best, stack) => (stack.total > (best?.total ?? 0) ? stack : best),
    undefined,
  )
  const splitText = split === 'METADATA' ? (question.metadataKey ?? '') : SPLIT_TEXTS[split].toLowerCase()
  const summary =
    `${MEASURE_TEXTS[measure]} by ${unit.toLowerCase()} and ${splitText}: ${text(total)} in total` +
    (largest
      ? `, at most ${text(largest.total)} in one ${unit.toLowerCase()} (${longPeriodName(unit, largest.start, timeZone)})`
      : '')

  return (
    <div className={styles['chart']}>
      <p className={styles['summary']}>{summary}.</p>
      <BarChart
        data={data}
        summary={summary}
        tickText={(value) => formatTick(value, measure)}
        labelOf={({ start }) => periodName(unit, start, timeZone)}
        describe={(stack) => ({
          title: `${longPeriodName(unit, stack.start, timeZone)}: ${text(stack.total)}`,
          lines: [
            ...stack.segments.toReversed().map(({ series, value }) => ({
              text: seriesText(data.series[series]!, split, names),
              value: text(value),
              series,
            })),
            ...(stack.held > 0 ? [{ text: 'held', value: formatMoney(stack.held) }] : []),
            ...(measure === 'cost' && stack.unknown > 0
              ? [{ text: 'of unknown cost', value: String(stack.unknown) }]
              : []),
          ],
        })}
        onZoom={(first, last) => onZoom(data.stacks[first]!.start, data.stacks[last]!.end)}
      />
      <ul className={styles['legend']} aria-label="Series">
        {data.series.map((series, index) => (
          <li key={`${series.value} ${series.isOther}`}>
            <Swatch index={index} isOther={series.isOther} />
            <span className={styles['name']}>{seriesText(series, split, names)}</span>
            <span className={styles['value']}>{text(series.total)}</span>
          </li>
        ))}
        {held > 0 && (
          <li>
            <svg width="12" height="12" aria-hidden="true" className={styles['heldMark']}>
              <rect x="0.75" y="0.75" width="10.5" height="10.5" rx="2.5" />
            </svg>
            <span className={styles['name']}>held, cost unknown</span>
            <span className={styles['value']}>{formatMoney(held)}</span>
          </li>
        )}
      </ul>
      <p id="chart-help" className={styles['help']}>
        Drag over bars to zoom. By keyboard: arrows, Shift with arrows, Enter.
      </p>
    </div>
  )
}
