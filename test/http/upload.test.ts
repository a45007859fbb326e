// https://github.com/jaydenseric/graphql-multipart-request-spec. An edit without its image would be charged as a generation.
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Result } from '../support/client.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const GENERATE = `mutation ($input: GenerateImageInput!) {
  generateImage(input: $input) { task { id operation inputImages { width height byteSize } mask { width height } } }
}`

/** A form on a web page cannot send it. */
const PREFLIGHT_HEADER = { 'graphql-require-preflight': '1' }

interface Edit {
  generateImage: {
    task: {
      id: string
      operation: string
      inputImages: { width: number; height: number }[]
      mask: { width: number; height: number } | null
    }
  }
}

const createImage = (
  width: number,
  height: number,
  format: 'png' | 'jpeg' | 'webp' = 'png',
  background: string | { r: number; g: number; b: number; alpha: number } = 'teal',
) =>
  sharp({ create: { width, height, channels: 4, background } })
    .toFormat(format)
    .toBuffer()
const createMask = (width: number, height: number) =>
  createImage(width, height, 'png', { r: 0, g: 0, b: 0, alpha: 0 })

describe('an upload', () => {
  it('creates an edit of one image', async () => {
    await using server = await openGateway()
    const { status, data } = await upload<Edit>(server, {
      input: { prompt: 'more teal', images: [{ upload: null }] },
      map: { 0: ['variables.input.images.0.upload'] },
      parts: { 0: file(await createImage(64, 48)) },
    })
    expect(status).toBe(200)
    expect(data?.generateImage.task).toMatchObject({
      operation: 'EDIT',
      mask: null,
      inputImages: [{ width: 64, height: 48 }],
    })
    expect(await server.ended(data!.generateImage.task.id)).toEqual({ status: 'SUCCEEDED' })
  })

  it('creates an edit of several images in order, with a mask', async () => {
    await using server = await openGateway()
    const { data } = await upload<Edit>(server, {
      input: {
        prompt: 'more teal',
        images: [{ upload: null }, { upload: null }, { upload: null }],
        mask: { upload: null },
      },
      map: {
        mask: ['variables.input.mask.upload'],
        c: ['variables.input.images.2.upload'],
        a: ['variables.input.images.0.upload'],
        b: ['variables.input.images.1.upload'],
      },
      parts: {
        a: file(await createImage(64, 48)),
        b: file(await createImage(32, 32, 'jpeg')),
        c: file(await createImage(16, 16, 'webp')),
        mask: file(await createMask(64, 48)),
      },
    })
    expect(data?.generateImage.task).toMatchObject({
      operation: 'EDIT',
      mask: { width: 64, height: 48 },
      inputImages: [{ width: 64 }, { width: 32 }, { width: 16 }],
    })
    expect(await server.ended(data!.generateImage.task.id)).toEqual({ status: 'SUCCEEDED' })
  })

  it('of one file for two paths creates two images', async () => {
    await using server = await openGateway()
    const { data } = await upload<Edit>(server, {
      input: { prompt: 'more teal', images: [{ upload: null }, { upload: null }] },
      map: { 0: ['variables.input.images.0.upload', 'variables.input.images.1.upload'] },
      parts: { 0: file(await createImage(64, 48)) },
    })
    expect(data?.generateImage.task.inputImages).toHaveLength(2)
  })

  const GOOD = { prompt: 'more teal', images: [{ upload: null }] }
  const PLACE = ['variables.input.images.0.upload']
  it.each([
    {
      wrong: 'without the mapped file',
      map: { 0: PLACE },
      parts: {},
      code: 'FILE_MISSING',
      says: /"0".*no such part/,
    },
    {
      wrong: 'without a map',
      map: null,
      parts: { 0: 'file' },
      code: 'MULTIPART_INVALID',
      says: /"map" must be a JSON object/,
    },
    {
      wrong: 'that is text instead of a file',
      map: { 0: PLACE },
      parts: { 0: 'text' },
      code: 'FILE_EXPECTED',
      says: /"0" is text/,
    },
    {
      wrong: 'that the map does not name',
      map: {},
      parts: { 0: 'file' },
      code: 'FILE_NOT_MAPPED',
      says: /does not name the part "0"/,
    },
    {
      wrong: 'with a number as paths',
      map: { 0: 5 },
      parts: { 0: 'file' },
      code: 'MAP_INVALID',
      says: /list of paths/,
    },
    {
      wrong: 'with no paths',
      map: { 0: [] },
      parts: { 0: 'file' },
      code: 'MAP_INVALID',
      says: /list of paths/,
    },
    {
      wrong: 'to an index of 30000000',
      map: { 0: ['variables.input.images.30000000.upload'] },
      parts: { 0: 'file' },
      code: 'MAP_INVALID',
      says: /30000000.*not a path/,
    },
    {
      wrong: 'to a prototype',
      map: { 0: ['variables.__proto__.x'] },
      parts: { 0: 'file' },
      code: 'MAP_INVALID',
      says: /__proto__\.x is not null/,
    },
    {
      wrong: 'to a path outside of the variables',
      map: { 0: ['query'] },
      parts: { 0: 'file' },
      code: 'MAP_INVALID',
      says: /not a path/,
    },
    {
      wrong: 'to a path that is not null',
      map: { 0: ['variables.input.prompt'] },
      parts: { 0: 'file' },
      code: 'MAP_INVALID',
      says: /variables\.input\.prompt is not null/,
    },
  ])('$wrong is refused with 400 and leaves nothing', async ({ map, parts, code, says }) => {
    await using server = await openGateway()
    const given = Object.entries(parts).map(
      ([name, kind]) => [name, kind === 'file' ? file(Buffer.from('x')) : 'text'] as const,
    )
    const answer = await upload(server, { input: GOOD, map, parts: Object.fromEntries(given) })
    expect(answer.status).toBe(400)
    expect(answer.errors).toMatchObject([{ message: expect.stringMatching(says), extensions: { code } }])
    expect(await countTasks(server)).toBe(0)
  })

  it('to index 30000000 is rejected by its path: no array of that length is built', async () => {
    await using server = await openGateway()
    const path = 'variables.input.images.30000000.upload'
    const input = { ...GOOD, images: [{ upload: null }] }
    const answer = await upload(server, { input, map: { 0: [path] }, parts: { 0: file(Buffer.from('x')) } })
    expect(answer.status).toBe(400)
    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining(path), extensions: { code: 'MAP_INVALID' } },
    ])
  })

  it.each([
    { wrong: 'without operations', body: part('map', '{}'), says: /no text part "operations"/ },
    {
      wrong: 'with invalid operations',
      body: part('operations', '{"query"') + part('map', '{}'),
      says: /"operations" must be a JSON object/,
    },
    { wrong: 'that is truncated', body: part('operations', '{}').slice(0, 60), says: /cannot be read/ },
  ])('$wrong is refused with 400', async ({ body, says }) => {
    await using server = await openGateway()
    const complete = says.source.includes('cannot') ? body : `${body}--b--\r\n`
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b', ...PREFLIGHT_HEADER },
      body: complete,
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      errors: [{ message: expect.stringMatching(says), extensions: { code: 'MULTIPART_INVALID' } }],
    })
  })

  it('of too many files or of a file over 20 MB is refused with 413', async () => {
    await using server = await openGateway()
    const many = Array.from({ length: 18 }, (_, i) => String(i))
    const tooMany = await upload(server, {
      input: { prompt: 'x', images: many.map(() => ({ upload: null })) },
      map: Object.fromEntries(many.map((name) => [name, [`variables.input.images.${name}.upload`]])),
      parts: Object.fromEntries(many.map((name) => [name, file(Buffer.from('x'))])),
    })
    expect([tooMany.status, tooMany.errors?.[0]?.extensions?.['code']]).toEqual([413, 'REQUEST_TOO_LARGE'])
    const tooLarge = await upload(server, {
      input: GOOD,
      map: { 0: PLACE },
      parts: { 0: file(Buffer.alloc(21 * 1024 * 1024)) },
    })
    expect([tooLarge.status, tooLarge.errors?.[0]?.extensions?.['code']]).toEqual([413, 'REQUEST_TOO_LARGE'])
    expect(await countTasks(server)).toBe(0)
  })

  it('that is not an image is refused regardless of its name and type', async () => {
    await using server = await openGateway()
    const html = new File(['<html><script>alert(1)</script></html>'], 'cat.png', { type: 'image/png' })
    const { errors } = await upload(server, { input: GOOD, map: { 0: PLACE }, parts: { 0: html } })
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/PNG, JPEG or WebP/),
        extensions: { code: 'BAD_USER_INPUT', field: 'images.0' },
      },
    ])
    expect(await countTasks(server)).toBe(0)
  })
})

describe('an idempotency key', () => {
  it('creates one task for fifty concurrent requests', async () => {
    await using server = await openGateway()
    const input = { prompt: 'a red fox', idempotencyKey: 'order-1' }
    const ids = await Promise.all(Array.from({ length: 50 }, () => server.generate(input)))
    expect(new Set(ids).size).toBe(1)
    expect(await countTasks(server)).toBe(1)
  })

  it('creates one task for the same image as data URL and upload', async () => {
    await using server = await openGateway()
    const bytes = await createImage(64, 48)
    const input = { prompt: 'more teal', idempotencyKey: 'order-2' }
    const first = await server.generate({
      ...input,
      images: [{ dataUrl: `data:image/png;base64,${bytes.toString('base64')}` }],
    })
    const { data } = await upload<Edit>(server, {
      input: { ...input, images: [{ upload: null }] },
      map: { 0: ['variables.input.images.0.upload'] },
      parts: { 0: file(bytes) },
    })
    expect(data?.generateImage.task.id).toBe(first)
  })

  it.each([
    { other: 'prompt', input: { prompt: 'a blue fox' } },
    { other: 'number', input: { n: 2 } },
    { other: 'label', input: { metadata: [{ key: 'k', value: 'v' }] } },
  ])('with another $other is refused and creates nothing', async ({ input }) => {
    await using server = await openGateway()
    const first = await server.generate({ prompt: 'a red fox', idempotencyKey: 'order-3' })
    const { errors } = await server.execute(GENERATE, {
      input: { prompt: 'a red fox', ...input, idempotencyKey: 'order-3' },
    })
    expect(errors).toMatchObject([
      { extensions: { code: 'IDEMPOTENCY_KEY_REUSED', field: 'idempotencyKey' } },
    ])
    expect(errors?.[0]?.message).toContain(first)
    expect(await countTasks(server)).toBe(1)
  })
})

interface Multipart {
  input: object
  map: unknown
  parts: Record<string, File | string>
}

async function upload<Data = unknown>(
  server: TestGateway,
  { input, map, parts }: Multipart,
): Promise<Result<Data> & { status: number }> {
  const form = new FormData()
  form.set('operations', JSON.stringify({ query: GENERATE, variables: { input } }))
  form.set('map', JSON.stringify(map))
  for (const [name, value] of Object.entries(parts)) {
    if (typeof value === 'string') form.set(name, value)
    else form.set(name, value, value.name)
  }
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: PREFLIGHT_HEADER,
    body: form,
  })
  const result: Result<Data> = await response.json()
  return { status: response.status, ...result }
}

function file(bytes: Buffer): File {
  return new File([new Uint8Array(bytes)], 'image', { type: 'application/octet-stream' })
}

function part(name: string, text: string): string {
  return `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
}

async function countTasks(server: TestGateway): Promise<number> {
  const { tasks } = await server.get<{ tasks: { nodes: unknown[] } }>(
    '{ tasks(first: 100) { nodes { id } } }',
  )
  return tasks.nodes.length
}
