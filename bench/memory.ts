import { openChild } from './child.ts'
import type { ReceiverVerbs } from './children/receiver.ts'
import type { UpstreamVerbs } from './children/upstream.ts'
import { alternate, compare, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 5
const CALLS = 20
const BASE64_MB = 20

/** What it takes in memory to receive large pictures, all at once. */
export async function memory(): Promise<Section> {
  await using upstream = openChild<UpstreamVerbs>('upstream')
  const url = await upstream.ask('start', BASE64_MB)

  // The peak of a process never falls, so each sample is a fresh one.
  async function receive(how: 'dialect' | 'json'): Promise<Sample> {
    await using receiver = openChild<ReceiverVerbs>('receiver')
    const { baseMb, peakMb, ms, longestMs } = await receiver.ask(how, { url, calls: CALLS })
    return { perCall: (peakMb - baseMb) / CALLS, ms: ms / CALLS, lag: longestMs }
  }

  const rounds = await alternate(ROUNDS, { ours: () => receive('dialect'), reference: () => receive('json') })
  const against = 'fetch, await response.json(), Buffer.from(b64_json)'
  return {
    title: `memory · ${CALLS} results of ${BASE64_MB} MB of base64 arriving at once, the openai dialect`,
    notes: [
      'Ours ends with each picture in a file; the reference keeps it in memory, and would still have to write it.',
      'Over what a process had before, at its peak. The upstream is a process of its own and sends as fast as it can.',
    ],
    rows: [
      { what: 'peak memory per call', unit: 'MB', against, figures: compare(rounds, 'perCall') },
      { what: 'event loop held up at once', unit: 'ms', against, figures: compare(rounds, 'lag') },
      { what: 'time per call', unit: 'ms', against, figures: compare(rounds, 'ms') },
    ],
  }
}
