import { styleText } from 'node:util'
import type { Comparison } from './measure.ts'

/** A topic's results. */
export interface Section {
  title: string
  /** The method, and what the figures do not show. */
  notes: readonly string[]
  rows: readonly Row[]
}

export interface Row {
  what: string
  unit: string
  /** The reference. */
  against: string
  figures: Comparison
}

const HEAD = ['', 'measured', 'reference', 'ratio', 'min – max', 'reference is'] as const

/** The section as lines for a terminal. Numbers are aligned right, words left. */
export function render({ title, notes, rows }: Section): string {
  const cells = [HEAD, ...rows.map(toCells)]
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const [head = '', ...lines] = cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  )
  return [
    styleText('bold', title),
    ...notes.map((note) => styleText('dim', `  ${note}`)),
    `  ${styleText('dim', head)}`,
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n')
}

function toCells({ what, unit, against, figures }: Row): readonly string[] {
  const { ours, reference, ratio, lowest, highest } = figures
  return [
    what,
    `${number(ours)} ${unit}`,
    `${number(reference)} ${unit}`,
    `${number(ratio)}x`,
    `${number(lowest)} – ${number(highest)}`,
    against,
  ]
}

function pad(cell: string, width: number, column: number): string {
  const isWord = column === 0 || column === HEAD.length - 1
  return isWord ? cell.padEnd(width) : cell.padStart(width)
}

/** Two or three significant digits. */
function number(value: number): string {
  if (value >= 100) return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
  return value.toFixed(value >= 10 ? 1 : 2)
}
