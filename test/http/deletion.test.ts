import { readdirSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import type { Client, Result } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { checkInvariants } from '../support/invariants.ts'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { inspectDatabase } from '../../src/db/connection/inspect.ts'

interface Image {
  id: string
  url: string
  small: string
  sha256: string
}

const TASK = `query ($id: ID!) { task(id: $id) { revision status attempts { id }
  images { ...Image } inputImages { ...Image } partialImages { image { ...Image } } } }
  fragment Image on Image { id url small: url(width: 32) sha256 }`

interface Task {
  revision: number
  status: string
  attempts: { id: string }[]
  images: Image[]
  inputImages: Image[]
  partialImages: { image: Image }[]
}

const LARGE = { model: 'gpt-image-2', size: '816x816', partialImages: 1 }

const DELETE_TASK = 'mutation ($id: ID!) { deleteTask(input: { id: $id }) { deletedTaskId } }'
const DELETE_IMAGE =
  'mutation ($id: ID!) { deleteImage(input: { id: $id }) { deletedImageId task { id revision images { id } } } }'

const DAY_MS = 86_400_000
const day = (offset: number) =>
  `"${new Date((Math.floor(Date.now() / DAY_MS) + offset) * DAY_MS).toISOString()}"`
const RANGE = `from: ${day(-1)}, to: ${day(2)}`

/** Every grouping, among them those that read the task. */
const REPORTS = `{ ${['PROVIDER', 'USER', 'STATUS', 'OPERATION', 'QUALITY', 'SIZE', 'API_KEY']
  .map((by) => `${by}: usage(${RANGE}, groupBy: [${by}]) { rows { ...M } totals { ...M } }`)
  .join(' ')}
  METADATA: usage(${RANGE}, groupBy: [METADATA], metadataKey: "team") { rows { ...M } }
  tasks { totalCount } images(filter: { kinds: [FINAL, PARTIAL, INPUT, MASK] }) { totalCount } }
  fragment M on UsageMeasures { tasks attempts images costMicros estimatedCostMicros heldMicros totalTokens inputTokens outputTokens attemptsWithUnknownCost }`

const codeOf = ({ errors }: Result<unknown>) => errors?.[0]?.extensions?.['code']
const read = async (client: Client, id: string) =>
  (await client.get<{ task: Task | null }>(TASK, { id })).task
const statusOf = async (url: string) => {
  const response = await fetch(url)
  await response.arrayBuffer()
  return response.status
}

async function made(client: Client, input: object = {}): Promise<{ id: string; task: Task }> {
  const id = await client.generate({ prompt: 'a red fox', model: 'dall-e-2', size: '256x256', ...input })
  await client.ended(id)
  return { id, task: (await read(client, id))! }
}

describe.each(DATABASES)('deletion on %s', (database) => {
  let keyed: GatewayWithKeys
  let own: Client
  let other: Client
  let objects: string
  beforeAll(async () => {
    keyed = await openGatewayWithKeys({ database })
    const clientOf = async (name: string) => {
      const project = await keyed.newProject(name)
      const { key } = await keyed.newKey({ project, scopes: ['GENERATE', 'READ', 'REPORT', 'ADMIN'] })
      return keyed.as(key)
    }
    own = await clientOf('own')
    other = await clientOf('other')
    objects = join(keyed.server.place.dataDir, 'assets', 'objects')
  })
  afterAll(() => keyed[Symbol.asyncDispose]())

  const names = () =>
    readdirSync(keyed.server.place.dataDir, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.includes('objects') || name.includes('renditions'),
    )
  const isOnDisk = (sha256: string) => names().some((name) => name.includes(sha256))
  /** Files of the last seconds are removed later. */
  async function ageFiles(): Promise<void> {
    const then = Date.now() / 1000 - 120
    for (const name of readdirSync(objects, { recursive: true, encoding: 'utf8' }))
      if (name.length > 64) await utimes(join(objects, name), then, then)
  }
  const rowsOf = (table: 'taskWords' | 'taskLabels' | 'taskInputs' | 'tasks', id: string) =>
    inspectDatabase(keyed.server.place, async (q) => {
      const all = await q.sql.select().from(q.tables[table])
      return all.filter((row) => Object.values(row).includes(id))
    }).then(({ result }) => result)

  it('of a task removes its bytes, renditions, addresses, prompt and index entries, and no money', async () => {
    const input = {
      user: 'ada',
      metadata: [{ key: 'team', value: 'x' }],
      prompt: 'a vermilion fox',
      ...LARGE,
    }
    const { id, task } = await made(own, { ...input, n: 2 })
    const all = [...task.images, ...task.partialImages.map(({ image }) => image)]
    expect(all).toHaveLength(3)
    for (const { url, small } of all) expect([await statusOf(url), await statusOf(small)]).toEqual([200, 200])
    expect(all.every(({ sha256 }) => isOnDisk(sha256))).toBe(true)
    const before = await own.get<Record<string, { totalCount?: number }>>(REPORTS)
    expect(before['USER']).toMatchObject({ totals: { images: 2, costMicros: expect.any(Number) } })
    await ageFiles()

    expect(await own.get(DELETE_TASK, { id })).toEqual({ deleteTask: { deletedTaskId: id } })
    for (const { url, small } of all) expect([await statusOf(url), await statusOf(small)]).toEqual([410, 410])
    expect(all.filter(({ sha256 }) => isOnDisk(sha256))).toEqual([])
    const { tasks, images, ...reports } = await own.get<Record<string, { totalCount?: number }>>(REPORTS)
    expect({ tasks, images, ...reports }).toEqual({
      ...before,
      tasks: { totalCount: before['tasks']!.totalCount! - 1 },
      images: { totalCount: before['images']!.totalCount! - 3 },
    })
    expect(await read(own, id)).toBeNull()
    expect(await own.get('query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ node: null })
    const { node } = await own.get<{ node: object }>(
      'query ($id: ID!) { node(id: $id) { ... on Attempt { state task { id prompt deletedAt images { id } } } } }',
      { id: task.attempts[0]!.id },
    )
    expect(node).toEqual({
      state: 'SUCCEEDED',
      task: { id, prompt: '', deletedAt: expect.any(String), images: [] },
    })
    const found = await own.get<object>(`{
      bySearch: tasks(filter: { search: "vermilion" }) { totalCount nodes { id } }
      byUser: tasks(filter: { users: ["ada"] }) { totalCount nodes { id } }
      byProvider: tasks(filter: { provider: "sandbox", metadata: [{ key: "team", value: "x" }] }) { totalCount nodes { id } }
    }`)
    const nothing = { totalCount: 0, nodes: [] }
    expect(found).toEqual({ bySearch: nothing, byUser: nothing, byProvider: nothing })
    expect(await rowsOf('taskWords', id)).toEqual([])
    expect(await rowsOf('taskLabels', id)).toEqual([])
    expect(await rowsOf('taskInputs', id)).toEqual([])
    expect(JSON.stringify(await rowsOf('tasks', id))).not.toContain('vermilion')
  })

  it('is idempotent, also at the same time, and audited once', async () => {
    const { id, task } = await made(own)
    const results = await Promise.all([1, 2, 3].map(() => own.execute(DELETE_TASK, { id })))
    expect(results.map(({ errors }) => errors)).toEqual([undefined, undefined, undefined])
    const image = task.images[0]!.id
    expect(await own.get(DELETE_IMAGE, { id: image })).toEqual({
      deleteImage: { deletedImageId: image, task: null },
    })
    const { auditLog } = await own.get<{ auditLog: { nodes: { action: string }[] } }>(
      'query ($id: ID!) { auditLog(subject: $id) { nodes { action } } }',
      { id },
    )
    expect(auditLog.nodes).toEqual([{ action: 'deleteTask' }])
  })

  it('of one image leaves the others, and raises the revision of the task', async () => {
    const { id, task } = await made(own, { prompt: 'two owls', n: 2 })
    const [first, second] = task.images
    expect(await own.get(DELETE_IMAGE, { id: first!.id })).toEqual({
      deleteImage: {
        deletedImageId: first!.id,
        task: { id, revision: task.revision + 1, images: [{ id: second!.id }] },
      },
    })
    expect(await statusOf(first!.url)).toBe(410)
    expect(await statusOf(second!.url)).toBe(200)
    const again = await own.get<{ deleteImage: { task: { revision: number } } }>(DELETE_IMAGE, {
      id: first!.id,
    })
    expect(again.deleteImage.task.revision).toBe(task.revision + 1)
  })

  it('keeps the bytes for a task that began with the image, and for its retry', async () => {
    const { task } = await made(own, { prompt: 'a lighthouse' })
    const [source] = task.images
    const images = [{ imageId: source!.id }]
    const edit = await made(own, { prompt: 'at night [sandbox:reject]', images, mask: null })
    expect(edit.task.status).toBe('FAILED')
    await ageFiles()
    await own.get(DELETE_IMAGE, { id: source!.id })
    expect(await statusOf(source!.url)).toBe(410)
    const after = (await read(own, edit.id))!
    expect(after.inputImages).toMatchObject([{ sha256: source!.sha256 }])
    expect(after.inputImages[0]!.id).not.toBe(source!.id)
    expect(await statusOf(after.inputImages[0]!.url)).toBe(200)
    const { retryTask } = await own.get<{ retryTask: { task: { id: string } } }>(
      'mutation ($id: ID!) { retryTask(input: { id: $id }) { task { id } } }',
      { id: edit.id },
    )
    await own.get(DELETE_TASK, { id: edit.id })
    await own.ended(retryTask.task.id)
    const { task: retried } = await own.get<{ task: object }>(
      'query ($id: ID!) { task(id: $id) { retryOf { id } error { code } inputImages { sha256 usedBy { id } } } }',
      { id: retryTask.task.id },
    )
    expect(retried).toEqual({
      retryOf: null,
      error: { code: 'PROVIDER_REJECTED' },
      inputImages: [{ sha256: source!.sha256, usedBy: [{ id: retryTask.task.id }] }],
    })
    await own.get(DELETE_TASK, { id: retryTask.task.id })
    expect(isOnDisk(source!.sha256)).toBe(false)
  })

  it('keeps bytes that another project has as well, until that project deletes them', async () => {
    const png = (await sharpPng()).toString('base64')
    const images = [{ dataUrl: `data:image/png;base64,${png}` }]
    const [mine, theirs] = [
      await made(own, { prompt: 'the same upload', images }),
      await made(other, { prompt: 'the same upload', images }),
    ]
    const [a, b] = [mine.task.inputImages[0]!, theirs.task.inputImages[0]!]
    expect(a.sha256).toBe(b.sha256)
    await ageFiles()
    await own.get(DELETE_TASK, { id: mine.id })
    expect([await statusOf(a.url), await statusOf(b.url), await statusOf(b.small)]).toEqual([410, 200, 200])
    await other.get(DELETE_TASK, { id: theirs.id })
    expect([await statusOf(b.url), isOnDisk(a.sha256)]).toEqual([410, false])
  })

  it('is refused for a task in progress, for ids of another project, and without the scope', async () => {
    const id = await own.generate({ prompt: 'slow [sandbox:slow]' })
    const running = await own.execute(DELETE_TASK, { id })
    expect([codeOf(running), running.errors![0]!.message]).toEqual([
      'CONFLICT',
      expect.stringMatching(
        /^task_\w+ is (?:QUEUED|RUNNING); it can be deleted once it has ended\. Cancel it first/,
      ),
    ])
    const { id: done, task } = await made(own)
    const image = task.images[0]!
    expect(codeOf(await other.execute(DELETE_TASK, { id: done }))).toBe('NOT_FOUND')
    expect(codeOf(await other.execute(DELETE_IMAGE, { id: image.id }))).toBe('NOT_FOUND')
    expect(await statusOf(image.url)).toBe(200)
    await own.get(DELETE_IMAGE, { id: image.id })
    expect(codeOf(await other.execute(DELETE_IMAGE, { id: image.id }))).toBe('NOT_FOUND')
    // The response reveals a deletion only to those who have a signed address.
    expect(await statusOf(image.url.replace(/signature=.{4}/, 'signature=AAAA'))).toBe(403)
    expect(await statusOf(image.url.split('?')[0]!)).toBe(403)
    const { key } = await keyed.newKey({ scopes: ['READ', 'ADMIN'] })
    expect(codeOf(await keyed.as(key).execute(DELETE_TASK, { id: done }))).toBe('FORBIDDEN')
    await own.get('mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } }', { id })
  })

  it('keeps the idempotency key used, so that a repeated request is not paid again', async () => {
    const { id } = await made(own, { idempotencyKey: 'once' })
    await own.get(DELETE_TASK, { id })
    const again = await own.execute(
      'mutation { generateImage(input: { prompt: "a red fox", model: "dall-e-2", size: "256x256", idempotencyKey: "once" }) { task { id } } }',
    )
    expect([codeOf(again), again.errors![0]!.message]).toEqual([
      'CONFLICT',
      expect.stringContaining('was deleted'),
    ])
  })

  it('is skipped by subscriptions: of the task with NOT_FOUND, of the feed without a gap', async () => {
    const { tasks } = await own.get<{ tasks: { feedCursor: string } }>('{ tasks(first: 1) { feedCursor } }')
    const [first, second] = [await made(own), await made(own)]
    await own.get(DELETE_TASK, { id: first.id })
    const taskEvents = own.watch<object>(
      'SSE',
      'subscription ($id: ID!) { taskEvents(taskId: $id) { at } }',
      {
        id: first.id,
      },
    )
    expect(codeOf((await taskEvents.next()).value as Result<unknown>)).toBe('NOT_FOUND')
    const feed = own.watch<{ taskFeed: { __typename: string; task: { id: string } } }>(
      'WebSocket',
      'subscription ($after: String) { taskFeed(after: $after) { __typename task { id } } }',
      { after: tasks.feedCursor },
    )
    // Another task is still running.
    const ids = new Set([first.id, second.id])
    for await (const { data } of feed) {
      if (!ids.has(data!.taskFeed.task.id)) continue
      expect(data!.taskFeed).toEqual({ __typename: 'TaskQueued', task: { id: second.id } })
      break
    }
  })

  it('during downloads lets each end with all bytes or an error, and leaves no rendition', async () => {
    const { id, task } = await made(own, { prompt: 'a big city', ...LARGE })
    const image = task.images[0]!
    const { image: sized } = await own.get<{ image: Record<string, string> }>(
      `query ($id: ID!) { image: node(id: $id) { ... on Image { ${[100, 200, 300, 400, 500]
        .map((width) => `w${width}: url(width: ${width})`)
        .join(' ')} } } }`,
      { id: image.id },
    )
    await ageFiles()
    const downloads = Object.values(sized).map(async (url) => {
      const response = await fetch(url)
      const bytes = await response.arrayBuffer()
      return response.status === 200
        ? Number(response.headers.get('content-length')) === bytes.byteLength
        : response.status
    })
    await own.get(DELETE_TASK, { id })
    for (const result of await Promise.all(downloads)) expect([true, 404, 410]).toContain(result)
    expect(await statusOf(image.url)).toBe(410)
    await expect.poll(() => isOnDisk(image.sha256)).toBe(false)
  })

  it('by retention is set for the project of the key; absent stays, null returns to the server', async () => {
    const set = (input: object) =>
      own.execute<{ setRetention: { project: object } }>(
        `mutation ($input: SetRetentionInput!) { setRetention(input: $input) { project {
          retention { tasksMs eventsMs partialImagesMs deliveriesMs }
          effectiveRetention { tasksMs eventsMs partialImagesMs deliveriesMs } } } }`,
        { input },
      )
    const before = await own.get<{ project: object }>('{ project { retention { tasksMs } } }')
    expect(before).toEqual({ project: { retention: null } })
    await set({ tasksMs: 90 * DAY_MS, eventsMs: 7_200_000 })
    const { data } = await set({ tasksMs: null, deliveriesMs: 8 * DAY_MS })
    expect(data!.setRetention.project).toEqual({
      retention: { tasksMs: null, eventsMs: 7_200_000, partialImagesMs: null, deliveriesMs: 8 * DAY_MS },
      effectiveRetention: {
        tasksMs: null,
        eventsMs: 7_200_000,
        partialImagesMs: 7_200_000,
        deliveriesMs: 8 * DAY_MS,
      },
    })
    const refused = await set({ deliveriesMs: DAY_MS })
    expect([codeOf(refused), refused.errors![0]!.extensions!['field']]).toEqual([
      'BAD_USER_INPUT',
      'deliveriesMs',
    ])
    expect(await other.get('{ project { retention { tasksMs } } }')).toEqual(before)
  })

  it('leaves a consistent database', async () => {
    const store = await openDirectoryStore(join(keyed.server.place.dataDir, 'assets'))
    expect(await checkInvariants(keyed.server.place, store)).toEqual([])
  })
})

function sharpPng(): Promise<Buffer> {
  return sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
}
