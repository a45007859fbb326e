import { styleText } from 'node:util'
import { compare, median } from '../measure.ts'
import type { Row, Section } from '../table.ts'
import type { Fanout } from './fanout.ts'
import { STALLED, type StalledMemory } from './stalled.ts'

const OURS = 'Darkroom taskFeed'
const HEAD = ['', 'CPU/delivery', 'ratio', 'delay P50', 'P99', 'ratio', 'deliveries/s', 'RSS/viewer']

/** All servers of one measurement. A ratio is the cost of the gateway's feed divided by that of the row. */
export function renderFanout({ transport, viewers, density, pace, rounds, viewerKb }: Fanout): string {
  const names = Object.keys(viewerKb)
  const figure = (name: string, what: string) =>
    median(rounds.map((round) => round[name]?.[what] ?? Number.NaN))
  const rows = names
    .toSorted()
    .map((name) => [
      name,
      `${short(figure(name, 'cpu'))} µs`,
      name === OURS ? '' : `${short(ratioTo(rounds, name, 'cpu'))}x`,
      `${short(figure(name, 'p50'))} ms`,
      `${short(figure(name, 'p99'))} ms`,
      name === OURS ? '' : `${short(ratioTo(rounds, name, 'p99'))}x`,
      short(figure(name, 'rate')),
      `${short(viewerKb[name] ?? Number.NaN)} KB`,
    ])
  const cells = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  const title = `${viewers.toLocaleString('en-US')} viewers over ${transport}, ${pace.count} events, one every ${pace.everyMs} ms (${density})`
  return [styleText('bold', title), ...lines.map((line) => `  ${line}`), ''].join('\n')
}

function ratioTo(rounds: Fanout['rounds'], name: string, what: string): number {
  return compareTo(rounds, name, what).ratio
}

function compareTo(rounds: Fanout['rounds'], name: string, what: string, ours = OURS) {
  const none = {}
  return compare(
    rounds.map((round) => ({ ours: round[ours] ?? none, reference: round[name] ?? none })),
    what,
  )
}

const WORDS: Readonly<Record<string, string>> = {
  'raw-ws': 'the same bytes broadcast with ws',
  'raw-sse': 'the same chunk written to each socket',
  'graphql-ws': 'graphql-ws alone',
  'graphql-sse': 'graphql-sse alone',
  yoga: 'graphql-yoga',
  mercurius: 'mercurius',
}

/** The ratios of all measurements in one table. */
export function toSection(fanouts: readonly Fanout[], notes: readonly string[]): Section {
  const rows = fanouts.flatMap(({ transport, viewers, density, rounds, viewerKb }): Row[] => {
    const where = `${viewers.toLocaleString('en-US')} viewers, ${transport}, ${density}`
    const peers = Object.keys(viewerKb).filter((name) => name in WORDS)
    const raw = peers.find((name) => name.startsWith('raw')) ?? ''
    const row = (what: string, unit: string, name: string, figure: string, ours?: string): Row => ({
      what: `${where}: ${what}`,
      unit,
      against: WORDS[name] ?? name,
      figures: compareTo(rounds, name, figure, ours),
    })
    return [
      ...[raw, ...peers.filter((name) => name !== raw)].map((name) =>
        row('CPU per delivery', 'µs', name, 'cpu'),
      ),
      row('CPU per delivery of taskEvents', 'µs', raw, 'cpu', 'Darkroom taskEvents'),
      row('delay P99', 'ms', raw, 'p99'),
    ]
  })
  return { title: 'delivery · ratios', notes, rows }
}

/** Memory for viewers that stopped reading. */
export function renderStalled(
  memory: Readonly<Record<string, StalledMemory>>,
  furtherEvents: number,
): string {
  const lines = Object.entries(memory).map(
    ([name, { afterFirst, growth }]) =>
      `  ${name.padEnd(24)}${short(afterFirst).padStart(8)} KB   and ${short(growth)} KB after ${furtherEvents.toLocaleString('en-US')} further events`,
  )
  return [
    styleText(
      'bold',
      `Resident memory for each of ${STALLED} viewers that stopped reading, 20 MB of events ago`,
    ),
    ...lines,
    '',
  ].join('\n')
}

/** Two or three significant digits. */
function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
  return value.toFixed(size >= 10 ? 1 : 2)
}
