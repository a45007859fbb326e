// Presets of the `openai` dialect: a fictional one changes everything that the interface allows.
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { ProviderError, VERDICTS } from '../../../src/providers/error.ts'
import { toProviderError } from '../../../src/providers/images-api/failure.ts'
import { toDataUrl, toJsonMessage } from '../../../src/providers/images-api/message.ts'
import type { Preset } from '../../../src/providers/images-api/preset.ts'
import { toCostMicros } from '../../../src/providers/images-api/usage.ts'
import { offersFrom } from '../../../src/providers/models/offers.ts'
import { createOpenaiDialect } from '../../../src/providers/openai/openai.ts'
import { runRequest, failureOf, inputOf, openCall, requestOf } from '../call.ts'
import { startFake, type CannedReply } from '../upstreams/fake.ts'

interface StudioOptions {
  version?: string | undefined
}

const ENVELOPE = z.object({ ok: z.boolean(), images: z.unknown() })

const PRICE = { imageMicros: 20_000, bySettings: [], version: 'studio-2026-11-01' }

/** Has a deployment in the path, other credential names, edits as JSON, and an envelope. */
const STUDIO: Preset<StudioOptions> = {
  baseUrl: null,
  options: { version: z.string().optional() },
  offers: (models = ['studio-1']) =>
    offersFrom(models, () => ({ operations: ['GENERATE', 'EDIT'], maxN: 2 }), new Map([['studio-1', PRICE]])),
  partialImages: () => 'NONE',
  costIn: toCostMicros,
  credentials: ({ apiKey }) => ({ 'api-key': apiKey }),
  async message({ upstreamModel, prompt, images }, { version = 'v1' }) {
    const references = await Promise.all(images.map(toDataUrl))
    return toJsonMessage(
      `/deployments/${upstreamModel}/images?version=${version}`,
      { prompt, references },
      {},
    )
  },
  unwrap(json, reply) {
    const { ok, images } = ENVELOPE.parse(json)
    if (ok) return images
    throw toProviderError(VERDICTS.BUSY, { code: 'full', message: '' }, reply)
  },
}

const dialect = createOpenaiDialect({ studio: STUDIO })
const b64_json = Buffer.from('image').toString('base64')
const GOOD: CannedReply = { status: 200, body: { ok: true, images: [{ b64_json }] } }

async function open(entry: object = {}) {
  const upstream = await startFake({ basePath: '/api', answer: () => GOOD, empty: GOOD })
  const options = { preset: 'studio', baseUrl: upstream.url, apiKey: 'studio-key', ...entry }
  const provider = dialect.create('studio', dialect.options.parse(options))
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

describe('a preset', () => {
  it('determines path, credentials and body of a request from its own options', async () => {
    const { provider, upstream } = await open({ version: 'v2' })
    const overrides = { model: 'studio-1', images: [inputOf(Buffer.from('input'))] }
    const { imageBytes } = await runRequest(provider, overrides)
    const [request] = upstream.requests
    expect(request?.path).toBe('/api/deployments/studio-1/images?version=v2')
    expect(request?.headers).toMatchObject({ 'api-key': 'studio-key' })
    expect(request?.headers.authorization).toBeUndefined()
    expect(request?.parameters).toEqual({
      prompt: 'a red fox in the snow',
      references: [`data:image/png;base64,${Buffer.from('input').toString('base64')}`],
    })
    expect(imageBytes).toEqual([Buffer.from('image')])
  })

  it('determines the meaning of its envelope', async () => {
    const { provider, upstream } = await open()
    upstream.script({ status: 200, body: { ok: false, images: null } })
    const { call } = await openCall()
    const failure = await failureOf(provider.submit(requestOf(), call))
    expect(failure).toMatchObject({ kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' })
    expect(new ProviderError(failure).message).toBe(
      'studio limits the request rate or is overloaded; try again later (status 200, full).',
    )
  })

  it('determines the models offered by default, and whether they have partial images', async () => {
    const { provider } = await open()
    expect(provider.offers).toMatchObject([
      { model: 'studio-1', price: PRICE, capabilities: { maxN: 2, maxPartialImages: 0 } },
    ])
  })

  it('determines the prices of its models, unless the configuration does', async () => {
    const models = ['studio-1', { name: 'studio-1', price: null }, 'gpt-image-2']
    const { provider } = await open({ models })
    expect(provider.offers.map(({ price }) => price)).toEqual([PRICE, null, null])
  })

  it('sends its credentials with the request for the list of models', async () => {
    const { provider, upstream } = await open()
    upstream.script({ status: 200, body: { data: [{ id: 'studio-1' }] } })
    const listed = await provider.listModels!({ signal: AbortSignal.timeout(5000) })
    expect(listed).toEqual([{ upstreamModel: 'studio-1', retiresOn: null }])
    const [request] = upstream.requests
    expect([request?.path, request?.headers['api-key'], request?.headers.authorization]).toEqual([
      '/api/models',
      'studio-key',
      undefined,
    ])
  })

  it('reads the cost of a call beside its images, and not that of one of several', async () => {
    const { provider, upstream } = await open()
    const second = Buffer.from('second').toString('base64')
    const [one, two] = [b64_json, second].map((image) => ({ b64_json: image, cost: 0.02 }))
    for (const [images, costMicros] of [
      [{ data: [{ b64_json }, { b64_json: second }], cost: 0.04 }, 40_000],
      [{ data: [one, two], cost: 0.05 }, 50_000],
      [{ data: [one, two] }, undefined],
      [{ data: [one] }, 20_000],
    ] as const) {
      upstream.script({ status: 200, body: { ok: true, images } })
      expect((await runRequest(provider)).costMicros).toBe(costMicros)
    }
  })

  it('without a base URL requires one in the configuration', () => {
    const { error } = dialect.options.safeParse({ preset: 'studio', apiKey: 'studio-key' })
    expect(error?.issues).toMatchObject([
      { path: ['baseUrl'], message: 'must be set: preset studio has no default' },
    ])
  })

  it('must be registered', () => {
    expect(dialect.options.safeParse({ preset: 'atelier', apiKey: 'a' }).success).toBe(false)
    expect(createOpenaiDialect({}).options.safeParse({ preset: 'studio', apiKey: 'a' }).success).toBe(false)
  })

  it('adds its options only to the dialect that it is registered with', () => {
    expect(createOpenaiDialect({}).options.safeParse({ version: 'v2', apiKey: 'a' }).success).toBe(false)
  })
})
