// The client against a real server, over each transport.
import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  AccessError,
  BudgetError,
  ConflictError,
  createClient,
  DarkroomError,
  InputError,
  NotFoundError,
  srcSetOf,
  TaskError,
  type ImageSource,
  type TaskEvent,
  type UploadProgress,
} from '../../client/index.ts'
import { createError } from '../../client/errors.ts'
import { GATEWAY_ERROR_CODES } from '../../src/errors.ts'
import { REQUEST_ERRORS } from '../../src/http/refusal.ts'
import { printClientTypes } from '../../tools/client-types/print.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let server: TestGateway

beforeAll(async () => {
  server = await openGateway()
})
afterAll(() => server?.[Symbol.asyncDispose]())

const client = (transport: 'auto' | 'websocket' | 'sse' = 'auto') =>
  createClient({ url: server.url, transport })

describe.each(['websocket', 'sse'] as const)('over %s', (transport) => {
  it('a generated task delivers its events and its images', async () => {
    const task = await client(transport).generate({
      prompt: 'a ferry [sandbox:duration=300]',
      partialImages: 2,
      metadata: [{ key: 'order', value: '42' }],
    })
    const events: TaskEvent[] = []
    for await (const event of task) events.push(event)
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['AttemptStarted', 'AttemptEnded']))
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['TaskSnapshot', 'TaskFinished'])
    expect(events.filter(({ type }) => type === 'PartialImageReceived')).toHaveLength(2)
    const [image] = await task.images()
    expect(image).toMatchObject({ width: 1024, mimeType: 'image/png', thumbhash: expect.any(String) })
    expect(task.state).toMatchObject({
      status: 'SUCCEEDED',
      charged: 'YES',
      metadata: [{ key: 'order', value: '42' }],
    })
    expect(srcSetOf(image!)).toBe(`${image!.url320} 320w, ${image!.url640} 640w, ${image!.url} 1024w`)
    const { width } = await sharp(await (await fetch(image!.url320)).arrayBuffer()).metadata()
    expect(width).toBe(320)
  })

  it('a task is watched after a cursor, and again from the start', async () => {
    const darkroom = client(transport)
    const task = await darkroom.generate({ prompt: 'a ferry', partialImages: 1 })
    const all = await collect(task)
    expect(await collect(task)).toEqual(all)
    const [, , third] = all
    expect(await collect(darkroom.watch(task.id, { after: third! }))).toEqual([third, ...all.slice(3)])
  })

  it('many tasks are watched at the same time, more than one socket takes', async () => {
    const darkroom = client(transport)
    const task = await darkroom.generate({ prompt: 'a ferry [sandbox:duration=1500]' })
    const watching = Array.from({ length: 60 }, () =>
      collect(darkroom.watch(task.id, { after: task.state.lastCursor })),
    )
    const [first, ...others] = await Promise.all(watching)
    expect(first!.length).toBeGreaterThan(3)
    for (const other of others) expect(other).toEqual(first)
  })

  it('the feed begins with unfinished tasks, and delivers the events of all', async () => {
    const darkroom = client(transport)
    const early = await darkroom.generate({ prompt: 'early [sandbox:duration=1000]' })
    const seen: [string, string][] = []
    let late: string | undefined
    for await (const { type, task } of darkroom.feed({ filter: { operation: 'GENERATE' } })) {
      seen.push([type, task.id])
      late ??= (await darkroom.generate({ prompt: 'late' })).id
      if (type === 'TaskFinished' && seen.filter(([one]) => one === type).length === 2) break
    }
    expect(seen[0]).toEqual(['TaskSnapshot', early.id])
    for (const id of [early.id, late]) expect(seen).toContainEqual(['TaskFinished', id])
    expect(seen).toContainEqual(['TaskQueued', late])
  })

  it('a signal and close() end iterations with their reason', async () => {
    const darkroom = client(transport)
    const abort = new AbortController()
    const aborted = collect(darkroom.feed({ signal: abort.signal }))
    const closed = collect(darkroom.feed())
    const reason = new Error('the page was left')
    setTimeout(() => abort.abort(reason), 100)
    await expect(aborted).rejects.toBe(reason)
    darkroom.close()
    await expect(closed).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('the transport', () => {
  it('is SSE where no WebSocket opens', async () => {
    const paths: string[] = []
    class Refused extends WebSocket {
      constructor(url: string | URL) {
        paths.push(new URL(url).pathname)
        super('ws://127.0.0.1:1')
      }
    }
    const darkroom = createClient({ url: server.url, webSocket: Refused })
    for (const _ of [1, 2]) {
      const task = await darkroom.generate({ prompt: 'a ferry' })
      expect((await collect(task)).length).toBeGreaterThan(3)
    }
    // It does not try the WebSocket again.
    expect(paths).toEqual(['/graphql'])
  })

  it('is the package ws, if it is given', async () => {
    const darkroom = createClient({ url: `${server.url}/`, webSocket: WebSocket, transport: 'websocket' })
    expect(await (await darkroom.generate({ prompt: 'a ferry' })).images()).toHaveLength(1)
  })
})

describe('an upload', () => {
  it('takes files, blobs, buffers, streams and places, in order, with a mask', async () => {
    const darkroom = client()
    const earlier = await darkroom.generate({ prompt: 'a ferry' })
    const [image] = await earlier.images()
    const [a, b, c, d, e] = await Promise.all([64, 65, 66, 67, 68].map(png))
    async function* pieces() {
      yield d!.subarray(0, 20)
      yield d!.subarray(20)
    }
    const images: ImageSource[] = [
      new File([new Uint8Array(a!)], 'a.png', { type: 'image/png' }),
      b!,
      new Blob([new Uint8Array(c!)]).stream(),
      pieces(),
      { dataUrl: `data:image/png;base64,${e!.toString('base64')}` },
      { imageId: image!.id },
    ]
    const mask = await sharp({ create: { width: 64, height: 32, channels: 4, background: '#0000' } })
      .png()
      .toBuffer()
    const { id } = await darkroom.generate({ prompt: 'more teal', images, mask })
    const { task } = await server.get<{
      task: { inputImages: { width: number }[]; mask: { width: number } }
    }>('query ($id: ID!) { task(id: $id) { inputImages { width } mask { width } } }', { id })
    expect(task.inputImages.map(({ width }) => width)).toEqual([64, 65, 66, 67, 68, 1024])
    expect(task.mask.width).toBe(64)
  })

  it('reports its progress', async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
    const image = await sharp({
      create: { width: 700, height: 700, channels: 3, background: 'black', noise },
    })
      .png()
      .toBuffer()
    const steps: UploadProgress[] = []
    await client().generate(
      { prompt: 'less noise', images: [image] },
      { onUploadProgress: (step) => steps.push(step) },
    )
    const last = steps.at(-1)!
    expect(steps.length).toBeGreaterThan(3)
    expect(last.totalBytes).toBeGreaterThan(image.length)
    expect(last.sentBytes).toBe(last.totalBytes)
  })
})

describe('an error', () => {
  it('is of a class by its code, and says whether it cost money', async () => {
    const darkroom = client()
    await expect(darkroom.generate({ prompt: 'a', model: 'none' })).rejects.toMatchObject({
      name: 'InputError',
      code: 'MODEL_UNKNOWN',
      charged: 'NO',
      field: 'model',
    })
    const key = { prompt: 'a ferry', idempotencyKey: 'once' }
    const task = await darkroom.generate(key)
    expect((await darkroom.generate(key)).id).toBe(task.id)
    await expect(darkroom.generate({ ...key, prompt: 'other' })).rejects.toThrow(ConflictError)
    await expect(collect(darkroom.watch('task_none'))).rejects.toThrow(NotFoundError)
    await expect(collect(darkroom.feed({ after: 'none' }))).rejects.toMatchObject({ code: 'CURSOR_INVALID' })
    expect(await darkroom.task('task_01M7WBM20AT087C3EQ4HX85BXT')).toBeNull()
  })

  it('of a task has its cause and its charge', async () => {
    const darkroom = client()
    const blocked = await darkroom.generate({ prompt: '[sandbox:moderation]' })
    const error: unknown = await blocked.images().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TaskError)
    expect(error).toMatchObject({
      code: 'MODERATION_BLOCKED',
      charged: 'NO',
      task: { id: blocked.id, status: 'FAILED' },
    })
    const lost = await darkroom.generate({ prompt: '[sandbox:vanish]' })
    await expect(lost.images()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
    const again = await darkroom.retry({ id: blocked.id })
    expect(again.id).not.toBe(blocked.id)
    const slow = await darkroom.generate({ prompt: 'a ferry [sandbox:duration=60000]' })
    expect(await slow.cancel()).toMatchObject({ id: slow.id, cancelRequested: true })
  })

  it('has a class for every code of the server', () => {
    const codes = [...GATEWAY_ERROR_CODES, ...Object.keys(REQUEST_ERRORS)]
    const classes = new Map(codes.map((code) => [code, createError(code, 'why').constructor]))
    expect([...classes.values()].every((one) => one.prototype instanceof DarkroomError)).toBe(true)
    expect([classes.get('BUDGET_EXCEEDED'), classes.get('FORBIDDEN'), classes.get('MODEL_UNKNOWN')]).toEqual([
      BudgetError,
      AccessError,
      InputError,
    ])
  })
})

it('the usage report is typed and complete', async () => {
  const report = await client().usage({
    from: '2026-01-01T00:00:00Z',
    to: new Date('2046-01-01'),
    groupBy: ['MODEL'],
  })
  expect(report.rows[0]).toMatchObject({ model: 'gpt-image-2', costMicros: expect.any(Number), day: null })
  expect(report.totals.tasks).toBeGreaterThan(3)
})

describe('client/generated.ts', () => {
  const schema = readFileSync('schema.graphql', 'utf8')
  const operations = readFileSync('client/operations.graphql', 'utf8')

  it('is up to date', () => {
    const isUpToDate = printClientTypes(schema, operations) === readFileSync('client/generated.ts', 'utf8')
    expect(isUpToDate, 'run `npm run schema`').toBe(true)
  })

  it('changes with the schema, and is refused for a field that the schema lacks', () => {
    const changed = schema.replace('enum TaskStatus {', 'enum TaskStatus {\n  PARKED\n')
    expect(/TaskStatus = .*'PARKED'/.test(printClientTypes(changed, operations))).toBe(true)
    expect(() => printClientTypes(schema, operations.replace('  progress\n', '  speed\n'))).toThrow('speed')
  })
})

async function collect(events: AsyncIterable<TaskEvent>): Promise<string[]> {
  const cursors: string[] = []
  for await (const { cursor } of events) cursors.push(cursor)
  return cursors
}

const png = (width: number) =>
  sharp({ create: { width, height: 32, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
