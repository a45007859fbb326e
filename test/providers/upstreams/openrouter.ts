// OpenRouter's Images API (docs/openrouter.md) on a real socket. It refuses fields that its page does not list.
import { startFake, type CannedReply, type FakeUpstream } from './fake.ts'

export function startOpenrouterUpstream({ apiKey }: { apiKey: string }): Promise<FakeUpstream> {
  return startFake({
    basePath: '/api/v1',
    empty: { status: 200, body: { created: 0, data: [] } },
    async answer({ method, path, headers, parameters }, { charge, makeImage }) {
      if (headers.authorization !== `Bearer ${apiKey}`)
        return openrouterError(401, 'No auth credentials found')
      if (method === 'GET' && path === '/api/v1/images/models') return { status: 200, body: MODELS }
      if (method !== 'POST' || path !== '/api/v1/images') return { status: 404, body: 'Not Found' }
      const problem = problemWith(parameters)
      if (problem) return openrouterError(400, problem)
      const n = Number(parameters.n ?? 1)
      const images = await Promise.all(Array.from({ length: n }, () => makeImage(parameters)))
      const data = images.map(({ bytes }) => ({ b64_json: bytes.toString('base64') }))
      charge(String(parameters.prompt))
      // Images of several are not streamed: providers without streaming ignore the flag.
      return parameters.stream === true && n === 1
        ? streamOf(data[0]!.b64_json)
        : { status: 200, body: { created: 1_748_372_400, data, usage: usageOf(n) } }
    },
  })
}

export function openrouterError(code: number, message: string, metadata?: object): CannedReply {
  return { status: code, body: { error: { code, message, ...(metadata && { metadata }) } } }
}

export function usageOf(n: number): object {
  return { prompt_tokens: 21, completion_tokens: 196 * n, total_tokens: 21 + 196 * n, cost: 0.006 * n }
}

const COMPLETED = 'image_generation.completed'

/** The stream of one image, which OpenRouter sends without names of events. */
function streamOf(b64_json: string): CannedReply {
  const events = [{ type: COMPLETED, b64_json, created: 1_748_372_400, usage: usageOf(1) }]
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') + 'data: [DONE]\n\n'
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: `: OPENROUTER PROCESSING\n\n${body}`,
  }
}

const MODELS = {
  data: [
    { id: 'openai/gpt-image-2', name: 'GPT Image 2', supports_streaming: true },
    { id: 'bytedance-seed/seedream-4.5', name: 'Seedream 4.5', supports_streaming: false },
  ],
}

type Rule = readonly unknown[] | ((value: unknown) => boolean)

const isText: Rule = (value) => typeof value === 'string' && value !== ''
const FIELDS: Readonly<Record<string, Rule>> = {
  model: ['openai/gpt-image-2', 'bytedance-seed/seedream-4.5'],
  prompt: isText,
  n: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 10,
  size: isText,
  quality: ['auto', 'low', 'medium', 'high'],
  background: ['auto', 'transparent', 'opaque'],
  output_format: ['png', 'jpeg', 'webp', 'svg'],
  output_compression: (value) => Number.isInteger(value),
  seed: (value) => Number.isInteger(value),
  provider: (value) => typeof value === 'object',
  stream: [true, false],
  input_references: (value) =>
    Array.isArray(value) &&
    value.length <= 16 &&
    value.every((one) => JSON.stringify(one).startsWith(REFERENCE)),
}
const REFERENCE = '{"type":"image_url","image_url":{"url":"data:image/'

function problemWith(parameters: Record<string, unknown>): string | undefined {
  const wrong = Object.entries(parameters).find(([name, value]) => {
    const rule = FIELDS[name]
    return typeof rule === 'function' ? !rule(value) : !rule?.includes(value)
  })
  return wrong && `${wrong[0]} is not valid`
}
