import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { clock } from './child.ts'

/** A number of events, and the time from one to the next. */
export interface Pace {
  count: number
  everyMs: number
}

/** Sends each event at its time, and returns when each was sent. Late events follow in turns of the event loop of their own. */
export async function paced({ count, everyMs }: Pace, send: () => void): Promise<number[]> {
  const sent: number[] = []
  const start = clock()
  while (sent.length < count) {
    const early = start + sent.length * everyMs - clock()
    await (early >= 1 ? pause(early) : turn())
    sent.push(clock())
    send()
  }
  return sent
}
