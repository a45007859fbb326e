// pmock's OpenAI-compatible route (docs.pmock.com, "openai compat generate") on a real socket. It accepts the page's
// fields in either spelling, refuses all others, and records charges by prompt, which alone identifies a request.
import { startFake, type CannedReply, type FakeUpstream } from './fake.ts'

export interface CompatUpstream extends FakeUpstream {
  /** The wrapper of the following replies; the page does not specify it, and shows `{}`. */
  wrap(form: Wrapper): void
}

export type Wrapper = 'nothing' | 'an envelope' | 'an envelope around the list'

export async function startCompatUpstream({ accessKey }: { accessKey: string }): Promise<CompatUpstream> {
  let wrapper: Wrapper = 'nothing'
  const fake = await startFake({
    basePath: '/api/ai/openai/v1',
    empty: { status: 200, body: {} },
    async answer({ path, headers, parameters }, { charge, makeImage }) {
      if (path !== '/api/ai/openai/v1/images/generations') return { status: 404, body: 'Not Found' }
      if (headers.authorization !== `Bearer ${accessKey}`) return wrapped(401, null, 'invalid access key')
      const problem = problemWith(parameters)
      if (problem) return wrapped(400, null, problem)
      const { bytes, url } = await makeImage({
        output_format: parameters.output_format ?? parameters.outputFormat,
      })
      charge(String(parameters.prompt))
      const format = parameters.response_format ?? parameters.responseFormat
      const data = [format === 'url' ? { url } : { b64_json: bytes.toString('base64') }]
      const images = {
        created: 1_780_000_123,
        size: '1024x1024',
        data,
        usage: { input_tokens: 21, output_tokens: 196 },
      }
      if (wrapper === 'nothing') return { status: 200, body: images }
      return wrapped(200, wrapper === 'an envelope' ? images : data)
    },
  })
  return { ...fake, wrap: (form) => void (wrapper = form) }
}

/** A reply in pmock's own wrapper. */
export function wrapped(code: number, data: unknown, message = 'success'): CannedReply {
  return {
    status: 200,
    headers: { 'content-type': '*/*' },
    body: { code, message, data, traceId: 'trace-77d2' },
  }
}

const FIELDS: Readonly<Record<string, readonly unknown[] | 'string' | 'number'>> = {
  prompt: 'string',
  model: ['gpt-image-2'],
  background: ['transparent', 'opaque', 'auto'],
  moderation: ['auto', 'low'],
  n: [1],
  outputCompression: 'number',
  outputFormat: ['png', 'jpeg', 'webp'],
  partialImages: 'number',
  quality: ['auto', 'low', 'medium', 'high', 'standard'],
  responseFormat: ['url', 'b64_json'],
  size: ['auto', '1024x1024', '1024x1536', '1536x1024', '2048x2048', '2048x1152', '3840x2160', '2160x3840'],
  inputFidelity: ['high', 'low'],
  user: 'string',
}

function problemWith(parameters: Record<string, unknown>): string | undefined {
  const wrong = Object.entries(parameters).find(([name, value]) => {
    const rule = FIELDS[name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())]
    return Array.isArray(rule) ? !rule.includes(value) : typeof value !== rule
  })
  return wrong && `${wrong[0]} is not valid`
}
