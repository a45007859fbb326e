import type { ViewerTransport } from './children/viewers.ts'
import { fanout, writeCost, type Fanout } from './delivery/fanout.ts'
import { remoteViewers } from './delivery/remote.ts'
import { besideStalled, differentDocuments, stalledMemory } from './delivery/stalled.ts'
import { renderFanout, renderStalled, toSection } from './delivery/tables.ts'
import { compare } from './measure.ts'
import { peerMissing } from './peers.ts'
import { render, type Row } from './table.ts'

export const PARTS = ['WebSocket', 'SSE', 'stalled', 'documents', 'beside', 'remote'] as const
export type Part = (typeof PARTS)[number]

export interface DeliveryOptions {
  parts: readonly Part[]
  /** Sizes of the audience. */
  viewers: readonly number[]
  rounds: number
  /** For viewers that stopped reading. */
  furtherEvents: number
}

/** The complete measurement, and one of a few minutes. */
export const COMPLETE: DeliveryOptions = {
  parts: PARTS,
  viewers: [100, 1000, 5000],
  rounds: 5,
  furtherEvents: 10_000,
}
export const QUICK: DeliveryOptions = { parts: PARTS, viewers: [1000], rounds: 1, furtherEvents: 2000 }

const TRANSPORTS: readonly ViewerTransport[] = ['WebSocket', 'SSE']
/** For measurements with one size of the audience. */
const AUDIENCE = 1000
const MANY = `${AUDIENCE.toLocaleString('en-US')} viewers`

/** The cost of an event to all its viewers. Prints each measurement at its end, and returns the last ratios. */
export async function delivery({ parts, viewers, rounds, furtherEvents }: DeliveryOptions): Promise<string> {
  const missing = peerMissing('mercurius')
  if (missing !== undefined) return `delivery: ${missing}\n`
  const has = (part: Part) => parts.includes(part)
  // Printed early, because the next ones take minutes.
  const transports = TRANSPORTS.filter(has)
  if (transports.length > 0) console.log(await fanouts(transports, viewers, rounds))
  if (has('stalled')) console.log(renderStalled(await stalledMemory(furtherEvents), furtherEvents))
  const rows: Row[] = []
  if (has('documents'))
    rows.push({
      what: `${MANY} with as many documents: CPU per delivery`,
      unit: 'µs',
      against: 'graphql-ws alone',
      figures: compare(await differentDocuments(rounds, AUDIENCE), 'cpu'),
    })
  if (has('beside'))
    rows.push({
      what: `${MANY}, 20 KB, one more stopped reading: delay P99`,
      unit: 'ms',
      against: 'the same without it',
      figures: compare(await besideStalled(rounds, AUDIENCE), 'p99'),
    })
  if (has('remote'))
    rows.push({
      what: `${MANY} of another process on PostgreSQL: delay P99`,
      unit: 'ms',
      against: 'the same bytes broadcast with ws',
      figures: compare(await remoteViewers(rounds, AUDIENCE), 'p99'),
    })
  return rows.length === 0 ? '' : render({ title: 'delivery · more ratios', notes: [], rows })
}

async function fanouts(
  transports: readonly ViewerTransport[],
  viewers: readonly number[],
  rounds: number,
): Promise<string> {
  const write = await writeCost()
  const measured: Fanout[] = []
  for (const count of viewers) {
    for (const transport of transports) {
      for (const result of await fanout(transport, count, rounds)) {
        measured.push(result)
        console.log(renderFanout(result))
      }
    }
  }
  const notes = [
    'From the progress of the provider to the viewer. Only the gateway stores events: its figures include the durable write,',
    `which costs ${Math.round(write)} µs of CPU for each event: ${(write / AUDIENCE).toFixed(2)} µs per delivery to ${MANY}.`,
  ]
  return render(toSection(measured, notes))
}
