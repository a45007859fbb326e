import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'graphql-ws'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { loadConfig } from '../../src/config/config.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { openTracing, readTraceSettings } from '../../src/telemetry/open.ts'
import { noTracing } from '../../src/tracing.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { newPlace, type Place } from '../support/database.ts'
import { ANY_ADDRESS, openReceiver } from '../support/receiver.ts'
import { KIND, openCollector, type Collector } from './collector.ts'
import { withCompileCache } from '../support/compile-cache.ts'

const CLIENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const TRACEPARENT = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`
const PROMPT = 'a secret heron'
const CREATE =
  'mutation Generate($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'

function switchesOf({ url }: Collector, name: string): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SERVICE_NAME: name, OTEL_BSP_SCHEDULE_DELAY: '20' }
}

async function configure(place: Place, settings: object): Promise<string> {
  const file = join(place.dataDir, 'darkroom.config.json')
  const { dataDir, databaseUrl } = place
  const engine = { pollMs: 20, progressIntervalMs: 0 }
  await writeFile(file, JSON.stringify({ port: 0, dataDir, databaseUrl, engine, ...settings }))
  return file
}

/** The process that receives the request. It is never started, so its tasks wait for other processes. */
async function openFront(file: string, collector: Collector) {
  const tracing = await openTracing(switchesOf(collector, 'front'), (sentence) => expect.fail(sentence))
  const config = await loadConfig({ env: { DARKROOM_CONFIG: file }, cwd: '/' })
  const log = createLog('silent')
  const gateway = await createGateway(config, { log, tracing, webhookRule: ANY_ADDRESS })
  onTestFinished(async () => {
    await gateway.stop({ deadlineMs: 0 })
    await tracing.close()
  })
  return gateway
}

/** The process that runs the task. */
async function openBack(file: string, env: Record<string, string>) {
  const lines: string[] = []
  const child = fork(join(import.meta.dirname, 'traced-child.ts'), {
    env: withCompileCache({ DARKROOM_CONFIG: file, ...env }),
    execArgv: [],
    silent: true,
  })
  child.stderr?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)))
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    if (child.connected) child.disconnect()
    await ended
  })
  const [url] = await Promise.race([once(child, 'message'), ended.then(() => expect.fail(lines.join('\n')))])
  return { url: String(url), lines }
}

describe('one task through two processes', () => {
  it('is one trace from the client to the webhook, with the GenAI conventions', async () => {
    await using collector = await openCollector()
    await using receiver = await openReceiver()
    const upstream = await startOpenaiUpstream({ apiKey: 'key-of-the-fake' })
    onTestFinished(() => upstream.close())
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    const providers = [
      { name: 'studio', dialect: 'openai', baseUrl: upstream.url, apiKey: 'key-of-the-fake' },
    ]
    const file = await configure(place, { providers })
    const front = await openFront(file, collector)
    const input = { prompt: PROMPT, n: 2, callbackUrl: `${receiver.url}/webhook` }
    const answer = await front.fetch(
      new Request('http://127.0.0.1/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: TRACEPARENT },
        body: JSON.stringify({ query: CREATE, variables: { input } }),
      }),
    )
    expect(await answer.json()).toMatchObject({ data: { generateImage: { task: {} } } })
    const back = await openBack(file, switchesOf(collector, 'back'))
    await receiver.received(1)

    const delivery = await collector.span('webhook delivery')
    const settle = await collector.span('settle')
    const attempt = await collector.span('attempt')
    const operation = await collector.span('graphql mutation')
    const create = await collector.span('task create')
    const paint = await collector.span('generate_content gpt-image-2')
    const ingest = await collector.span('ingest')
    const parents = { operation, create, attempt, paint, ingest, settle, delivery }
    expect(
      Object.fromEntries(
        Object.entries(parents).map(([name, { parentSpanId, service, kind }]) => {
          const parent = Object.entries(parents).find(([, { spanId }]) => spanId === parentSpanId)
          return [name, [parent?.[0] ?? parentSpanId, service, kind]]
        }),
      ),
    ).toEqual({
      operation: [CLIENT.spanId, 'front', KIND.SERVER],
      create: ['operation', 'front', KIND.PRODUCER],
      attempt: ['create', 'back', KIND.CONSUMER],
      paint: ['attempt', 'back', KIND.CLIENT],
      ingest: ['attempt', 'back', KIND.INTERNAL],
      settle: ['attempt', 'back', KIND.INTERNAL],
      delivery: ['create', 'back', KIND.CLIENT],
    })
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([CLIENT.traceId]))
    expect(paint.attributes).toMatchObject({
      'gen_ai.operation.name': 'generate_content',
      'gen_ai.output.type': 'image',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-image-2',
      'gen_ai.request.choice.count': 2,
      'http.response.status_code': 200,
      'darkroom.provider': 'studio',
    })
    expect(paint.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0)
    expect(paint.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0)
    expect(operation.attributes['graphql.operation.name']).toBe('Generate')

    // Prompts are not exported, and providers do not get the trace by default.
    expect(collector.bodies.join('')).not.toContain('heron')
    expect(upstream.requests.map(({ headers }) => headers['traceparent'])).toEqual([undefined])
    const finished = back.lines.find((line) => line.includes('task finished'))
    expect(JSON.parse(finished ?? '{}')).toMatchObject({ trace_id: CLIENT.traceId, span_id: settle.spanId })
  })

  it('marks failures by code, and propagates the trace to providers if enabled', async () => {
    await using collector = await openCollector()
    const upstream = await startOpenaiUpstream({ apiKey: 'key-of-the-fake' })
    onTestFinished(() => upstream.close())
    upstream.script({ status: 400, body: { error: { message: `No ${PROMPT}`, code: 'moderation_blocked' } } })
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    const providers = [
      { name: 'studio', dialect: 'openai', baseUrl: upstream.url, apiKey: 'key-of-the-fake' },
    ]
    const file = await configure(place, { providers, traceUpstreams: true })
    const { url } = await openBack(file, switchesOf(collector, 'all'))
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { traceparent: TRACEPARENT },
      lazy: true,
    })
    for await (const _ of client.iterate({ query: CREATE, variables: { input: { prompt: PROMPT } } }))
      continue
    const settle = await collector.span('settle')
    const paint = await collector.span('generate_content gpt-image-2')
    await client.dispose()
    expect(paint).toMatchObject({ failed: true, traceId: CLIENT.traceId })
    expect(paint.attributes).toMatchObject({
      'error.type': 'MODERATION_BLOCKED',
      'darkroom.charged': 'UNKNOWN',
    })
    expect(settle.failed).toBe(false)
    expect(collector.bodies.join('')).not.toContain('heron')
    expect(upstream.requests[0]?.headers['traceparent']).toBe(`00-${CLIENT.traceId}-${paint.spanId}-01`)
  })
})

describe('traces', () => {
  const warnings: string[] = []
  const warn = (sentence: string) => void warnings.push(sentence)

  it('are off by default and with every disabling variable', async () => {
    const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
    expect(await openTracing({}, warn)).toBe(noTracing)
    expect(await openTracing({ OTEL_SERVICE_NAME: 'x' }, warn)).toBe(noTracing)
    expect(await openTracing({ ...on, OTEL_SDK_DISABLED: 'true' }, warn)).toBe(noTracing)
    expect(await openTracing({ ...on, OTEL_TRACES_EXPORTER: 'none' }, warn)).toBe(noTracing)
    expect(warnings).toEqual([])
    expect(readTraceSettings(on, warn)?.url).toBe('http://127.0.0.1:4318/v1/traces')
    expect(readTraceSettings({ OTEL_TRACES_EXPORTER: 'otlp' }, warn)?.url).toBe(
      'http://localhost:4318/v1/traces',
    )
    const own = { ...on, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/in' }
    expect(readTraceSettings(own, warn)?.url).toBe('https://traces.example/in')
    expect(warnings).toEqual([])
  })

  it('warn of invalid settings', () => {
    warnings.length = 0
    expect(readTraceSettings({ OTEL_TRACES_EXPORTER: 'zipkin' }, warn)).toBeUndefined()
    expect(readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, warn)).toBeUndefined()
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toContain('"zipkin"')
  })

  it('warn once of an unreachable collector and block nothing', async () => {
    warnings.length = 0
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_BSP_SCHEDULE_DELAY: '10' }
    // Read by the exporter.
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '200')
    onTestFinished(() => void vi.unstubAllEnvs())
    const tracing = await openTracing(off, warn)
    expect(await tracing.span('one', { parent: null }, () => Promise.resolve(1))).toBe(1)
    await expect.poll(() => warnings.length).toBe(1)
    await tracing.close()
    expect(warnings[0]).toContain('http://127.0.0.1:9')
  }, 30_000)

  it('start a new trace for an invalid traceparent', async () => {
    await using collector = await openCollector()
    const tracing = await openTracing(switchesOf(collector, 'x'), warn)
    for (const parent of [
      '',
      'x',
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      `${TRACEPARENT}zz`,
    ])
      await tracing.span('odd', { parent }, () =>
        Promise.resolve(expect(tracing.traceparent()).not.toBeNull()),
      )
    await tracing.close()
    expect(collector.spans).toHaveLength(4)
    expect(collector.spans.map(({ parentSpanId }) => parentSpanId ?? '')).toEqual(['', '', '', ''])
    expect(collector.spans.map(({ traceId }) => traceId)).not.toContain(CLIENT.traceId)
  })

  it('load no code while they are off, and `darkroom help` loads no metrics', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-modules-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    const loadedBy = async (env: Record<string, string>): Promise<string[]> => {
      const child = fork(join(import.meta.dirname, 'modules-child.ts'), {
        env: { DATA_DIR: dataDir, ...env },
        execArgv: [],
        silent: true,
      })
      const [loaded] = await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(([code]) => expect.fail(`It ended with code ${code}.`)),
      ])
      return (loaded as string[])
        .filter((name) => /^@opentelemetry\/(?!api$)|^prom-client$/.test(name))
        .toSorted()
    }
    expect(await loadedBy({ RUN: 'help' })).toEqual([])
    expect(await loadedBy({})).toEqual(['prom-client'])
    const on = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
    expect(on).toContain('@opentelemetry/sdk-trace')
  })
})
