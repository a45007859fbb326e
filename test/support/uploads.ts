// Uploads over sockets of their own. All share the bytes of one image, so that hundreds take no memory here.
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import sharp from 'sharp'

const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'

/** A small PNG, padded to a size. The padding is not stored. */
export async function paddedPng(bytes: number): Promise<Buffer> {
  const png = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  return Buffer.concat([png, Buffer.alloc(bytes - png.length, 'darkroom')])
}

export interface UploadResult {
  status: number
  retryAfter: string | undefined
  code: string | undefined
  taskId: string | undefined
}

interface Body {
  data?: { generateImage: { task: { id: string } } | null } | null
  errors?: { extensions?: { code?: string } }[]
}

/** A PNG of noise, stored as it is. */
export async function noisyPng(bytes: number): Promise<Buffer> {
  const edge = Math.floor(Math.sqrt(bytes / 3))
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  return sharp({ create: { width: edge, height: edge, channels: 3, background: 'black', noise } })
    .png({ compressionLevel: 0 })
    .toBuffer()
}

/** Begins a request and sends all but the image. */
export function beginUpload(
  url: string,
  byteSize: number,
  input: Record<string, unknown> = {},
): { sending: ClientRequest; end: string } {
  const variables = { input: { prompt: 'more teal', images: [{ upload: null }], ...input } }
  const head = [
    part('operations', JSON.stringify({ query: GENERATE, variables })),
    part('map', '{"0":["variables.input.images.0.upload"]}'),
    '--b\r\ncontent-disposition: form-data; name="0"; filename="image.png"\r\n\r\n',
  ].join('')
  const end = '\r\n--b--\r\n'
  const sending = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': head.length + byteSize + end.length,
      'graphql-require-preflight': '1',
    },
  })
  sending.write(head)
  return { sending, end }
}

export async function upload(
  url: string,
  image: Buffer,
  input: Record<string, unknown> = {},
): Promise<UploadResult> {
  const { sending, end } = beginUpload(url, image.length, input)
  sending.write(image)
  sending.end(end)
  return resultOf(sending)
}

/** Sends an image as a data URL. */
export async function sendDataUrl(url: string, dataUrl: string): Promise<UploadResult> {
  const query = { query: GENERATE, variables: { input: { prompt: 'more teal', images: [{ dataUrl: '' }] } } }
  const [head = '', end = ''] = JSON.stringify(query).split('"dataUrl":""')
  const start = `${head}"dataUrl":"`
  const length = start.length + dataUrl.length + 1 + end.length
  const headers = { 'content-type': 'application/json', 'content-length': length }
  const sending = request(`${url}/graphql`, { method: 'POST', agent: false, headers })
  for (const text of [start, dataUrl]) sending.write(text)
  sending.end(`"${end}`)
  return resultOf(sending)
}

export async function resultOf(sending: ClientRequest): Promise<UploadResult> {
  const [response]: IncomingMessage[] = await once(sending, 'response')
  // The server closes the connection of a refused upload that goes on for long.
  sending.on('error', () => {})
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { data, errors } = (await json(response!)) as Body
  return {
    status: response!.statusCode!,
    retryAfter: response!.headers['retry-after'],
    code: errors?.[0]?.extensions?.code,
    taskId: data?.generateImage?.task.id,
  }
}

function part(name: string, text: string): string {
  return `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
}
