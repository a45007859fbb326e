// A week of tasks of several models, providers and outcomes. Import `settable-clock.ts` before anything else.
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../support/random.ts'
import type { TestGateway } from '../support/gateway.ts'

const HOUR_MS = 3_600_000

/** `contract` has no price, so that the cost of its images is unknown. */
export const SAMPLE_PROVIDERS = [
  { name: 'openai', dialect: 'sandbox', durationMs: 0, concurrency: 8 },
  { name: 'azure', dialect: 'sandbox', durationMs: 0, concurrency: 6 },
  {
    name: 'contract',
    dialect: 'sandbox',
    durationMs: 0,
    models: ['gpt-image-2.6-flare'],
  },
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

/** Sets the clock of this process `ms` back. */
export function setBack(ms: number): void {
  process.emit('message', { clockShiftMs: -ms }, undefined)
}

/** Ends at the present. */
export async function makeHistory(server: TestGateway, { days = 7, perDay = 9 } = {}): Promise<void> {
  const random = createRandom('history')
  const total = days * perDay
  for (let index = 0; index < total; index++) {
    const hoursBack = (1 - index / total) * days * 24
    setBack(hoursBack * HOUR_MS)
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
  setBack(0)
}

/** Failures put a provider into a cooldown, in which the next tasks would wait. */
async function resumeAll(server: TestGateway): Promise<void> {
  await pause(20)
  for (const { name } of SAMPLE_PROVIDERS)
    await server.get(
      'mutation ($name: String!) { resumeProvider(input: { name: $name }) { provider { name } } }',
      { name },
    )
}
