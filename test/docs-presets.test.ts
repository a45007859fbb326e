// Tries the tables of docs/azure.md, docs/openrouter.md and other pages of presets against the presets and their fakes.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { ImageRequest } from '../src/domain.ts'
import { matchCapabilities } from '../src/engine/routing/match.ts'
import { dialects } from '../src/providers/index.ts'
import { failuresOf, outcomeOf } from './docs/outcomes.ts'
import { API_KEY as apiKey, INPUT, PRESET_PAGES, type PresetPage } from './docs/preset-pages.ts'
import { codesIn, readTables } from './docs/tables.ts'
import { failureOf, openCall, requestOf, runRequest } from './providers/call.ts'
import { plainRequest } from './support/rows.ts'

const openai = dialects.openai!
const STATUSES = /^(?:DOCUMENTED|OBSERVED|ASSUMED|not documented|not on the pages)\b/

const IMAGE = { url: 'https://example.com/a.png' }
const UNSUPPORTED: Readonly<Record<string, [field: string, request: Partial<ImageRequest>]>> = {
  mask: ['mask', { operation: 'EDIT', images: [IMAGE], mask: IMAGE }],
  markup: ['markup', { operation: 'EDIT', images: [IMAGE], markup: IMAGE }],
  moderation: ['moderation', { moderation: 'LOW' }],
  complexity: ['complexity', { complexity: 'HIGH' }],
  user: ['user', { user: 'user-1' }],
  GIF: ['outputFormat', { outputFormat: 'GIF' }],
  SVG: ['outputFormat', { outputFormat: 'SVG' }],
}

describe.each(PRESET_PAGES)('the page of $preset', (page) => {
  const { preset, start, upstreamModel, replies, full, limitOf } = page
  const text = readFileSync(`docs/${preset}.md`, 'utf8')
  const tables = readTables(text)
  const rowsOf = (column: string) => tables.find(({ columns }) => columns[0] === column)?.rows ?? []
  const facts = rowsOf('fact').map(({ fact = '', status = '', source = '' }) => ({ fact, status, source }))
  const factWith = (part: string) => facts.find(({ fact }) => fact.includes(part))?.fact ?? ''

  const notTaken = facts.find(
    ({ fact, status }) => fact.startsWith('no mask') || status === 'not on the pages',
  )

  let upstream: Awaited<ReturnType<PresetPage['start']>>
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
    expect(facts.length).toBeGreaterThanOrEqual(page.minFacts)
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
    const named = z.array(z.object({ name: z.string(), upstreamModel: z.string().optional() })).optional()
    const models = named
      .parse(entry['models'])
      ?.map((model) => [model.name, model.upstreamModel ?? model.name])
    const offered = provider.offers.map(({ model, upstreamModel: sent }) => [model, sent])
    expect(offered).toEqual(models ?? [[upstreamModel, upstreamModel]])
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
    const { operations, maxPartialImages } = provider.offers[0]!.capabilities
    if (operations.includes('EDIT'))
      await runRequest(provider, { ...full, ...settings, upstreamModel, images: [INPUT] })
    if (maxPartialImages > 0)
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
    expect(fields).toEqual(new Set(page.fields))
  })

  it('names the limits and values that the models are offered with', () => {
    const [offer] = open().offers
    const { qualities, maxN } = offer!.capabilities
    const values = /`quality` \(?((?:\w+, )+\w+)/.exec(factWith('`quality`'))?.[1]?.split(', ') ?? []
    expect(qualities.filter((one) => one !== 'AUTO').map((one) => one.toLowerCase())).toEqual(
      values.filter((one) => one !== 'auto'),
    )
    expect(factWith('`n` ')).toMatch(new RegExp(`\`n\` \\(?1 to ${maxN}\\b`))
    expect(facts.some(({ fact }) => fact.includes(limitOf(offer!.capabilities)))).toBe(true)
  })

  it('names the settings that are not sent', () => {
    const [offer] = open().offers
    const words = (notTaken?.fact.match(/\w+/g) ?? []).filter((word) => word in UNSUPPORTED)
    const notSent = Object.entries(UNSUPPORTED).flatMap(([word, [field, request]]) => {
      const { warnings, refusals } = matchCapabilities({ ...plainRequest, ...request }, offer!, '2026-01-01')
      return [...warnings, ...refusals].some((one) => one.field === field) ? word : []
    })
    expect(words.filter((word) => !notSent.includes(word))).toEqual([])
    expect(words.length).toBeGreaterThanOrEqual(Math.min(4, notSent.length))
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
    const setting = 'unbilledServerErrors'
    expect(text).toContain(`\`${setting}`)
    const { call } = await openCall()
    upstream.script({ status: 503, body: 'No.' })
    const failure = await failureOf(open({ [setting]: true }).submit(requestOf({ upstreamModel }), call))
    expect(outcomeOf(failure)).toEqual({ next: 'retried', code: 'PROVIDER_BROKEN', charged: 'NO' })
  })
})
