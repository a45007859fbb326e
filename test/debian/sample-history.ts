// A week of tasks of several models, providers and outcomes, for screenshots.
import { setTimeout as pause } from 'node:timers/promises'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { createRandom } from '../support/random.ts'

const HOUR_MS = 3_600_000
/** Between a message to the process and its next request. */
const MESSAGE_MS = 15

/** The model of `contract` has no price, so that the cost of its images is unknown. */
export const SAMPLE_PROVIDERS = [
  { name: 'openai', dialect: 'sandbox', durationMs: 0, concurrency: 8 },
  { name: 'azure', dialect: 'sandbox', durationMs: 0, concurrency: 6 },
  { name: 'contract', dialect: 'sandbox', durationMs: 0, models: ['gpt-image-2.6-flare'] },
]

const PROMPTS = [
  'a lighthouse at dusk',
  'a glass ferry in fog',
  'an orchard in the first snow',
  'a red kite over dunes',
  'a tiled kitchen in morning light',
  'a night train in the alps',
  'a paper model of a city',
  'a heron in shallow water',
]
const MODELS = ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-2.5-sunburst']

/** Ends at the present. The process must have been started with `canSetClock`. */
export async function makeHistory(server: GatewayProcess, { days = 7, perDay = 9 } = {}): Promise<void> {
  const random = createRandom('history')
  const total = days * perDay
  for (let index = 0; index < total; index++) {
    await setBack(server, (1 - index / total) * days * 24 * HOUR_MS)
    const isLost = index % 17 === 5
    const isRefused = index % 19 === 7
    const isUnpriced = index % 13 === 4
    const scenario = isLost ? ' [sandbox:vanish]' : isRefused ? ' [sandbox:moderation]' : ''
    const id = await server.generate({
      prompt: random.pick(PROMPTS) + scenario,
      ...(isUnpriced
        ? { model: 'gpt-image-2.6-flare', providers: ['contract'] }
        : { model: random.pick(MODELS), providers: [random.pick(['openai', 'openai', 'azure'])] }),
      size: random.pick(['1024x1024', '1536x1024', '1024x1536']),
      quality: random.pick(['LOW', 'MEDIUM', 'HIGH']),
      user: random.pick(['ann', 'ben', 'cleo']),
    })
    await server.ended(id)
    if (isLost || isRefused) await resumeAll(server)
  }
  await setBack(server, 0)
}

async function setBack(server: GatewayProcess, ms: number): Promise<void> {
  server.setClock(-Math.round(ms))
  await pause(MESSAGE_MS)
}

/** Failures put a provider into a cooldown, in which the next tasks would wait. */
async function resumeAll(server: GatewayProcess): Promise<void> {
  for (const { name } of SAMPLE_PROVIDERS)
    await server.get(
      'mutation ($name: String!) { resumeProvider(input: { name: $name }) { provider { name } } }',
      { name },
    )
}
