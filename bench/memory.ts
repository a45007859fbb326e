import { openChild } from './child.ts'
import type { ImageReceiverVerbs } from './children/image-receiver.ts'
import type { UpstreamVerbs } from './children/upstream.ts'
import { alternate, compare, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 5
const CALLS = 20
const BASE64_MB = 20

/** The memory that it takes to receive large images at once. */
export async function memory(): Promise<Section> {
  await using upstream = openChild<UpstreamVerbs>('upstream')
  const url = await upstream.call('start', BASE64_MB)

  // The peak of a process never falls, so each sample needs a new one.
  async function receive(how: 'dialect' | 'json'): Promise<Sample> {
    await using receiver = openChild<ImageReceiverVerbs>('image-receiver')
    const { baseMb, peakMb, ms, maxMs } = await receiver.call(how, { url, calls: CALLS })
    return { perCall: (peakMb - baseMb) / CALLS, ms: ms / CALLS, lag: maxMs }
  }

  const rounds = await alternate(ROUNDS, { ours: () => receive('dialect'), reference: () => receive('json') })
  const against = 'fetch, await response.json(), Buffer.from(b64_json)'
  return {
    title: `memory · ${CALLS} results of ${BASE64_MB} MB of base64 arriving at once, the openai dialect`,
    notes: [
      'Ours ends with each image in a file; the reference has yet to write it.',
      'The peak of a process above its memory before. The upstream is another process and sends at full speed.',
    ],
    rows: [
      { what: 'peak memory per call', unit: 'MB', against, figures: compare(rounds, 'perCall') },
      { what: 'longest delay of the event loop', unit: 'ms', against, figures: compare(rounds, 'lag') },
      { what: 'time per call', unit: 'ms', against, figures: compare(rounds, 'ms') },
    ],
  }
}
