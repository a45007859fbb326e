// Paints and simulates failures in this process: no network, key or cost.
import { z } from 'zod'
import { CATALOGUE, type CatalogueModel } from '../models/catalogue.ts'
import {
  extraNames,
  forAccount,
  modelsOption,
  offersFrom,
  svgPrices,
  type ModelsOption,
} from '../models/offers.ts'
import { ProviderError } from '../error.ts'
import type { Capabilities, Dialect, Offer, Provider } from '../provider.ts'
import { develop } from './develop.ts'
import { fail } from './scenario.ts'
import { SCENARIO_FAILURES, SCENARIOS, readDirections, type Scenario } from './scenario.ts'

export interface SandboxOptions {
  /** Minimum. Default 3000. */
  durationMs: number
  /** Default `ok`. Prompts override it: see SANDBOX_DIRECTIVES. */
  scenario: Scenario
  /** Default 4. */
  concurrency: number
  /** Default 240000. */
  timeoutMs: number
  /** Without the last partial image: upstreams may finish earlier. Default false. */
  fewerPartials: boolean
  /** Default: the catalogue, with everything that the sandbox can make. */
  models?: ModelsOption | undefined
  svgPrices?: Offer['svgPrices'] | undefined
  extra?: readonly string[] | undefined
}

const options = z.strictObject({
  durationMs: z.int().min(0).max(600_000).default(3000),
  scenario: z.enum(SCENARIOS).default('ok'),
  concurrency: z.int().min(1).max(1000).default(4),
  timeoutMs: z.int().min(1).max(3_600_000).default(240_000),
  fewerPartials: z.boolean().default(false),
  models: modelsOption.optional(),
  svgPrices: svgPrices.optional(),
  extra: extraNames.optional(),
})

export const sandbox: Dialect<SandboxOptions> = {
  options,
  fromEnvironment: () => undefined,
  create: createSandbox,
}

function createSandbox(name: string, settings: SandboxOptions): Provider {
  const offers = settings.models ? offersFrom(settings.models) : CATALOGUE.map(toOffer)
  return {
    name,
    dialect: 'sandbox',
    traits: { modes: ['STREAM'], recovery: 'NONE', failureCharge: 'NO' },
    offers: forAccount(offers, settings),
    concurrency: settings.concurrency,
    timeoutMs: settings.timeoutMs,

    async submit(request, call) {
      if (call.signal.aborted) throw new ProviderError(SCENARIO_FAILURES.unreached.failure)
      const { scenario, durationMs, prompt } = readDirections(request.prompt, settings)
      if (scenario !== 'ok') return fail(scenario, durationMs, call)
      const sizes = offers.find(({ model }) => model === request.model)?.capabilities.sizes
      const partials = Math.max(0, request.partialImages - (settings.fewerPartials ? 1 : 0))
      return develop({ ...request, prompt }, call, { durationMs, partials, sizes })
    },

    async close() {},
  }
}

function toOffer({ name, price, capabilities }: CatalogueModel): Offer {
  // More than real models: every setting can be tried.
  const widened: Capabilities = {
    ...capabilities,
    operations: ['GENERATE', 'EDIT'],
    backgrounds: name.startsWith('gpt-') ? ['AUTO', 'OPAQUE', 'TRANSPARENT'] : capabilities.backgrounds,
    maxN: 10,
    maxInputImages: 16,
    mask: true,
    maxPartialImages: 3,
    markup: name.startsWith('gpt-'),
  }
  const model = { model: name, upstreamModel: name, capabilities: widened, price }
  return { ...model, svgPrices: {}, retiresOn: null, successor: null }
}
