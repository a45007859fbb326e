// Tries the tables of docs/azure.md and docs/openrouter.md against the presets and their fakes.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { ImageRequest } from '../src/domain.ts'
import { matchCapabilities } from '../src/engine/routing/match.ts'
import { dialects } from '../src/providers/index.ts'
import type { Capabilities, ProviderRequest } from '../src/providers/provider.ts'
import { failuresOf, outcomeOf } from './docs/outcomes.ts'
import { codesIn, readTables } from './docs/tables.ts'
import { failureOf, inputOf, openCall, requestOf, runRequest } from './providers/call.ts'
import { azureError, startAzureUpstream } from './providers/upstreams/azure.ts'
import type { CannedReply } from './providers/upstreams/fake.ts'
import { openrouterError, startOpenrouterUpstream } from './providers/upstreams/openrouter.ts'
import { plainRequest } from './support/rows.ts'

const openai = dialects.openai!
const apiKey = 'key-of-the-fake'
const STATUSES = /^(?:DOCUMENTED|OBSERVED|ASSUMED|not documented|not on the pages)\b/

interface Upstream {
  url: string
  requests: readonly { method?: string; path: string; parameters: Record<string, unknown> }[]
  script(reply: CannedReply): void
  close(): Promise<void>
}

interface PresetPage {
  preset: string
  start: () => Promise<Upstream>
  upstreamModel: string
  /** Examples of each row of the table of failures, by its first cell. */
  replies: Readonly<Record<string, readonly CannedReply[]>>
  /** A request with every setting that the server takes. */
  full: Partial<ProviderRequest>
  /** In the words of the page. */
  limitOf: (can: Capabilities) => string
}

const IMAGE = { url: 'https://example.com/a.png' }
const INPUT = inputOf(Buffer.from('input'))
const flagged = { reasons: ['violence'], flagged_input: 'a fox', provider_name: 'OpenAI', model_slug: 'x' }
const azure = (status: number, code = 'any') => azureError(status, code, 'No.')
const router = (status: number, metadata?: object) => openrouterError(status, 'No.', metadata)

const PAGES: readonly PresetPage[] = [
  {
    preset: 'azure',
    start: () => startAzureUpstream({ apiKey }),
    upstreamModel: 'gpt-image-2',
    replies: {
      '401; 404 `DeploymentNotFound`': [azure(401), azure(404, 'DeploymentNotFound')],
      '404 with another code': [azure(404), azure(404, '404')],
      '400 with any other code': [azure(400), azure(400, 'invalid_value')],
      '`contentFilter`, with any status below 500': [200, 400, 403, 404, 422].map((status) =>
        azure(status, 'contentFilter'),
      ),
      '429': [azure(429, 'RateLimitReached')],
      '408, and 500 or more': [azure(408, 'Timeout'), ...[500, 502, 503, 524].map((status) => azure(status))],
    },
    full: {
      size: '1536x1024',
      quality: 'HIGH',
      outputFormat: 'JPEG',
      outputCompression: 80,
      user: 'user-1',
      safetyIdentifier: 'user-1',
      n: 2,
    },
    limitOf: ({ outputFormats }) => `\`output_format\` ${outputFormats.join(' and ')};`,
  },
  {
    preset: 'openrouter',
    start: () => startOpenrouterUpstream({ apiKey }),
    upstreamModel: 'openai/gpt-image-2',
    replies: {
      '400': [router(400)],
      '401; 403 without `metadata.reasons`': [router(401), router(403), router(403, { provider_name: 'x' })],
      '402': [router(402)],
      '403 with `metadata.reasons`': [router(403, flagged)],
      '429': [router(429)],
      '408, 500 and more, and an error with status 200': [
        ...[408, 500, 502, 503, 524, 529].map((status) => router(status)),
        { ...router(502), status: 200 },
      ],
    },
    full: {
      size: '2048x2048',
      quality: 'MEDIUM',
      background: 'OPAQUE',
      outputFormat: 'WEBP',
      outputCompression: 80,
      images: [INPUT],
      n: 2,
    },
    limitOf: ({ maxInputImages }) => `\`input_references\`: up to ${maxInputImages} objects`,
  },
]

const UNSUPPORTED: Readonly<Record<string, [field: string, request: Partial<ImageRequest>]>> = {
  mask: ['mask', { operation: 'EDIT', images: [IMAGE], mask: IMAGE }],
  markup: ['markup', { operation: 'EDIT', images: [IMAGE], markup: IMAGE }],
  moderation: ['moderation', { moderation: 'LOW' }],
  complexity: ['complexity', { complexity: 'HIGH' }],
  user: ['user', { user: 'user-1' }],
  GIF: ['outputFormat', { outputFormat: 'GIF' }],
  SVG: ['outputFormat', { outputFormat: 'SVG' }],
}

describe.each(PAGES)('the page of $preset', ({ preset, start, upstreamModel, replies, full, limitOf }) => {
  const text = readFileSync(`docs/${preset}.md`, 'utf8')
  const tables = readTables(text)
  const rowsOf = (column: string) => tables.find(({ columns }) => columns[0] === column)?.rows ?? []
  const facts = rowsOf('fact').map(({ fact = '', status = '', source = '' }) => ({ fact, status, source }))
  const factWith = (part: string) => facts.find(({ fact }) => fact.includes(part))?.fact ?? ''

  const notTaken = facts.find(
    ({ fact, status }) => fact.startsWith('no mask') || status === 'not on the pages',
  )

  let upstream: Upstream
  beforeAll(async () => {
    upstream = await start()
  })
  afterAll(() => upstream.close())

  function open(entry: object = {}) {
    const provider = openai.create(
      preset,
      openai.options.parse({ preset, baseUrl: upstream.url, apiKey, ...entry }),
    )
    onTestFinished(() => provider.close())
    return provider
  }

  it('has a status for every fact, and names sources that it lists', () => {
    expect(facts.length).toBeGreaterThan(15)
    expect(facts.filter(({ status }) => !STATUSES.test(status))).toEqual([])
    const cited = facts.flatMap(({ source }) => [...source.matchAll(/\[(\w+)\]/g)].map(([, name]) => name))
    const listed = [...text.matchAll(/(?<=^|\. |\n)\[(\w+)\]: /g)].map(([, name]) => name)
    expect(new Set(cited)).toEqual(new Set(listed))
    const unsourced = facts.filter(
      ({ status, source }) => status.startsWith('DOCUMENTED') && !/\[\w+\]/.test(source),
    )
    expect(unsourced.map(({ fact }) => fact)).toEqual([])
  })

  it('shows a configuration that loads, with the models that it names', async () => {
    const [, json = ''] = /```json\n(.*?)\n```/s.exec(text) ?? []
    const shown = z.record(z.string(), z.unknown()).parse(JSON.parse(json))
    const { name, dialect, ...entry } = shown
    expect([name, dialect, shown['preset']]).toEqual([preset, 'openai', preset])
    const provider = openai.create(preset, openai.options.parse({ ...entry, apiKey }))
    onTestFinished(() => provider.close())
    const models = z.array(z.object({ name: z.string(), upstreamModel: z.string() })).parse(entry['models'])
    expect(provider.offers.map(({ model, upstreamModel: sent }) => [model, sent])).toEqual(
      models.map((model) => [model.name, model.upstreamModel]),
    )
  })

  it('names the paths of requests, and every field that is sent', async () => {
    const provider = open()
    const paths = facts.flatMap(({ fact }) => [...fact.matchAll(/`(POST|GET) ([^`]+)`/g)])
    const documented = paths.map(([, method, path = '']) => `${method} ${path}`)
    const before = upstream.requests.length
    const given = { ...plainRequest, ...full }
    const { settings, refusals } = matchCapabilities(given, provider.offers[0]!, '2026-01-01')
    expect(refusals).toEqual([])
    await runRequest(provider, { ...full, ...settings, upstreamModel })
    await runRequest(provider, { ...full, ...settings, upstreamModel, images: [INPUT] })
    await runRequest(provider, { ...full, ...settings, upstreamModel, n: 1, partialImages: 1 })
    if (provider.listModels) await provider.listModels({ signal: AbortSignal.timeout(5000) })
    const sent = upstream.requests.slice(before)
    const base = new URL(upstream.url).pathname.replace(/\/$/, '')
    const shapes = sent.map(({ method = 'POST', path }) => {
      const shape = path.slice(base.length).replace(/(?<=\/deployments\/)[^/]+/, '{deployment}')
      return `${method} ${shape.replace(/(?<=api-version=).+/, '…')}`
    })
    expect([...new Set(shapes)].sort()).toEqual([...new Set(documented)].sort())
    const taken = facts.filter((one) => one !== notTaken)
    const codes = new Set(taken.flatMap(({ fact }) => codesIn(fact)))
    const fields = new Set(sent.flatMap(({ parameters }) => Object.keys(parameters)))
    expect([...fields].filter((field) => !codes.has(field))).toEqual([])
    expect(fields.size).toBeGreaterThan(7)
  })

  it('names the limits and values that the models are offered with', () => {
    const [offer] = open().offers
    const { qualities, maxN } = offer!.capabilities
    const values = /`quality` \(?((?:\w+, )+\w+)/.exec(factWith('`quality`'))?.[1]?.split(', ') ?? []
    expect(values.length).toBeGreaterThan(2)
    expect(qualities.filter((one) => one !== 'AUTO').map((one) => one.toLowerCase())).toEqual(
      values.filter((one) => one !== 'auto'),
    )
    expect(factWith('`n` ')).toMatch(new RegExp(`\`n\` \\(?1 to ${maxN}\\b`))
    expect(facts.some(({ fact }) => fact.includes(limitOf(offer!.capabilities)))).toBe(true)
  })

  it('names the settings that are not sent', () => {
    const [offer] = open().offers
    const words = (notTaken?.fact.match(/\w+/g) ?? []).filter((word) => word in UNSUPPORTED)
    expect(words.length).toBeGreaterThan(3)
    for (const word of words) {
      const [field, request] = UNSUPPORTED[word]!
      const { warnings, refusals } = matchCapabilities({ ...plainRequest, ...request }, offer!, '2026-01-01')
      expect([word, [...warnings, ...refusals].map((one) => one.field)]).toEqual([
        word,
        expect.arrayContaining([field]),
      ])
    }
  })

  it('has a reply to try for each row of failures', () => {
    expect(new Set(rowsOf('reply').map(({ reply }) => reply))).toEqual(new Set(Object.keys(replies)))
  })

  it.each(failuresOf(rowsOf('reply'), 'reply'))(
    'when the reply is $when: $next, charged $charged',
    async ({ when, ...expected }) => {
      const provider = open()
      const { call } = await openCall()
      for (const reply of replies[when] ?? []) {
        upstream.script(reply)
        const failure = await failureOf(provider.submit(requestOf({ upstreamModel }), call))
        expect([reply, outcomeOf(failure)]).toEqual([reply, expected])
      }
    },
  )

  it('names a setting by which failures of the server are free', async () => {
    const [setting = ''] = /\bunbilledServerErrors\b/.exec(text) ?? []
    const { call } = await openCall()
    upstream.script({ status: 503, body: 'No.' })
    const failure = await failureOf(open({ [setting]: true }).submit(requestOf({ upstreamModel }), call))
    expect(outcomeOf(failure)).toEqual({ next: 'retried', code: 'PROVIDER_BROKEN', charged: 'NO' })
  })
})
