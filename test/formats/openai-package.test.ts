// What the openai package would send for a request arrives from Darkroom as well.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { inputOf, openCall, openOpenai, requestOf } from '../providers/openai-call.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'

const BYTES = Buffer.from('image')
const image = inputOf(BYTES)
const file = (name: string) => ({ name, base64: BYTES.toString('base64') })
const COMMON = { model: 'gpt-image-2.6-flare', prompt: 'a fox', n: 1 }

type Files = Record<string, ReturnType<typeof file>[]>
const CASES: [what: string, requested: Partial<ProviderRequest>, parameters: object, files?: Files][] = [
  ['a plain request', {}, {}],
  ['quality and complexity', { quality: 'MAX', complexity: 'HIGH' }, { quality: 'max', complexity: 'high' }],
  [
    'background, moderation and size',
    { background: 'TRANSPARENT', moderation: 'LOW', size: '1536x864' },
    { background: 'transparent', moderation: 'low', size: '1536x864' },
  ],
  [
    'a compressed format',
    { outputFormat: 'WEBP', outputCompression: 40 },
    { output_format: 'webp', output_compression: 40 },
  ],
  [
    'a GIF',
    { outputFormat: 'GIF', animation: { frames: 4, frameDurationMs: 150 } },
    { output_format: 'gif', frame_count: 4, frame_duration_ms: 150 },
  ],
  ['a GIF with defaults', { outputFormat: 'GIF' }, { output_format: 'gif' }],
  [
    'an SVG',
    { outputFormat: 'SVG', svg: { model: 'author-1', effort: 'XHIGH' } },
    { output_format: 'svg', svg: { model: 'author-1', reasoning: { effort: 'xhigh' } } },
  ],
  [
    'an SVG without effort',
    { outputFormat: 'SVG', svg: { model: 'a', effort: null } },
    { output_format: 'svg', svg: { model: 'a' } },
  ],
  ['an identifier', { safetyIdentifier: 'ada' }, { safety_identifier: 'ada' }],
  ['a user', { user: 'ada' }, { user: 'ada' }],
  ['an unknown parameter', { extra: { seed: 7, list: [1, 2] } }, { seed: 7, list: [1, 2] }],
  ['an edit', { images: [image] }, { size: 'auto' }, { image: [file('image-1.png')] }],
  [
    'an edit of two images with a mask',
    { images: [image, image], mask: image, complexity: 'LOW' },
    { size: 'auto', complexity: 'low' },
    { image: [file('image-1.png'), file('image-2.png')], mask: [file('mask.png')] },
  ],
  [
    'an edit with markup into an SVG',
    { images: [image], markup: image, outputFormat: 'SVG', svg: { model: 'author-1', effort: 'NONE' } },
    { size: 'auto', output_format: 'svg', svg: { model: 'author-1', reasoning: { effort: 'none' } } },
    { image: [file('image-1.png')], markup: [file('markup.png')] },
  ],
  ['previews', { partialImages: 2 }, { stream: true, partial_images: 2 }],
]

interface Arrived {
  path: string
  fields: unknown
}

const arrived: Arrived[] = []
const server = createServer((incoming, response) => {
  void buffer(incoming).then(async (body) => {
    arrived.push({
      path: incoming.url ?? '',
      fields: await fieldsOf(String(incoming.headers['content-type']), body),
    })
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
  })
})

/** JSON, or the sorted parts of a form. */
async function fieldsOf(type: string, body: Buffer): Promise<unknown> {
  if (type.startsWith('application/json')) return JSON.parse(String(body))
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  const parts = [...form].map(async ([name, value]) =>
    typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()],
  )
  return (await Promise.all(parts)).toSorted((a, b) => (a.join() < b.join() ? -1 : 1))
}

let url = ''
beforeAll(async () => {
  await installClients()
  url = await listen(server)
  const requests = CASES.map(([, , parameters, files]) => ({
    method: files ? 'edit' : 'generate',
    parameters: { ...COMMON, ...parameters },
    files,
  }))
  const child = spawn(process.execPath, ['programs/openai-images.mjs'], {
    cwd: CLIENTS_FOLDER,
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  child.stdin.end(JSON.stringify({ baseURL: url, requests }))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`The program of the package ended with ${String(code)}.`)
}, 120_000)
afterAll(() => void server.close())

it.each(CASES.map((one, nth) => [one[0], one[1], nth] as const))(
  '%s is sent as by the package',
  async (_, requested, nth) => {
    const provider = openOpenai({ url }, { mode: 'partialImages' in requested ? 'stream' : 'auto' })
    const { call } = await openCall()
    const before = arrived.length
    const request = requestOf({ model: COMMON.model, ...requested, prompt: COMMON.prompt })
    await provider.submit(request, call).catch(() => undefined)
    expect(arrived[before]).toEqual(arrived[nth])
  },
)
