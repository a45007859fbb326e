import type { ViewerTransport } from './children/viewers.ts'
import { fanout, writeCost, type Fanout } from './delivery/fanout.ts'
import { remoteViewers } from './delivery/remote.ts'
import { besideStalled, differentDocuments, stalledMemory } from './delivery/stalled.ts'
import { renderFanout, renderStalled, toSection } from './delivery/tables.ts'
import { compare } from './measure.ts'
import { peerMissing } from './peers.ts'
import { render, type Row } from './table.ts'

export interface DeliveryOptions {
  /** Sizes of the audience. */
  viewers: readonly number[]
  rounds: number
  /** For viewers that stopped reading. */
  furtherEvents: number
}

/** The complete measurement, and one of a few minutes. */
export const COMPLETE: DeliveryOptions = { viewers: [100, 1000, 5000], rounds: 5, furtherEvents: 10_000 }
export const QUICK: DeliveryOptions = { viewers: [1000], rounds: 1, furtherEvents: 2000 }

const TRANSPORTS: readonly ViewerTransport[] = ['WebSocket', 'SSE']
/** For measurements with one size of the audience. */
const AUDIENCE = 1000

/** The cost of an event to all its viewers. Prints each measurement at its end, and returns the ratios. */
export async function delivery({ viewers, rounds, furtherEvents }: DeliveryOptions): Promise<string> {
  const missing = peerMissing('mercurius')
  if (missing !== undefined) return `delivery: ${missing}\n`
  const write = await writeCost()
  const fanouts: Fanout[] = []
  for (const count of viewers) {
    for (const transport of TRANSPORTS) {
      for (const result of await fanout(transport, count, rounds)) {
        fanouts.push(result)
        console.log(renderFanout(result))
      }
    }
  }
  // Printed early, because the next ones take minutes.
  const notes = [
    'From the progress of the provider to the viewer. Only the gateway stores events: its figures include the durable write,',
    `which costs ${Math.round(write)} µs of CPU for each event: ${(write / AUDIENCE).toFixed(2)} µs per delivery to 1,000 viewers.`,
  ]
  console.log(render(toSection(fanouts, notes)))
  console.log(renderStalled(await stalledMemory(furtherEvents), furtherEvents))
  const many = `${AUDIENCE.toLocaleString('en-US')} viewers`
  const documents = await differentDocuments(rounds, AUDIENCE)
  const beside = await besideStalled(rounds, AUDIENCE)
  const remote = await remoteViewers(rounds, AUDIENCE)
  const others: Row[] = [
    {
      what: `${many} with as many documents: CPU per delivery`,
      unit: 'µs',
      against: 'graphql-ws alone',
      figures: compare(documents, 'cpu'),
    },
    {
      what: `${many}, 20 KB, one more stopped reading: delay P99`,
      unit: 'ms',
      against: 'the same without it',
      figures: compare(beside, 'p99'),
    },
    {
      what: `${many} of another process on PostgreSQL: delay P99`,
      unit: 'ms',
      against: 'the same bytes broadcast with ws',
      figures: compare(remote, 'p99'),
    },
  ]
  return render({ title: 'delivery · more ratios', notes: [], rows: others })
}
