// The images API of en.oceanbase.com ("Use the gpt-image-2 model for text-to-image generation") on a real socket. It
// refuses every field that is not on the page, and records charges by prompt, which alone identifies a request.
import { startFake, type CannedReply, type FakeUpstream, type ReceivedRequest } from './fake.ts'
import { BASIC_IMAGE_MICROS } from './tariff.ts'

export interface BasicUpstream extends FakeUpstream {
  /** The form of the following images; both by default, as on the page. */
  give(form: Form): void
}

export type Form = 'both' | 'url' | 'b64_json'

export async function startBasicUpstream({ apiKey = 'basic-key' } = {}): Promise<BasicUpstream> {
  let form: Form = 'both'
  const fake = await startFake({
    basePath: '/api/v1',
    empty: { status: 200, body: { created: 1_780_000_000, data: [], usage: {} } },
    async answer(request, { charge, makeImage }) {
      const refusal = problemWith(request, apiKey)
      if (refusal) return refusal
      const data: object[] = []
      for (let count = 0; count < Number(request.parameters.n); count++) {
        const { bytes, url } = await makeImage()
        data.push({
          url: form === 'b64_json' ? '' : url,
          b64_json: form === 'url' ? '' : bytes.toString('base64'),
          revised_prompt: `${String(request.parameters.prompt)}, photorealistic`,
        })
      }
      charge(String(request.parameters.prompt), data.length * BASIC_IMAGE_MICROS)
      return { status: 200, body: { created: 1_780_000_000, data, usage: {} } }
    },
  })
  return { ...fake, give: (next) => void (form = next) }
}

function problemWith({ method, path, headers, parameters }: ReceivedRequest, apiKey: string) {
  if (method !== 'POST' || path !== '/api/v1/images/generations')
    return basicError(404, 'not_found', 'No such path.')
  if (headers.authorization !== `Bearer ${apiKey}`) {
    return basicError(401, 'invalid_api_key', 'API key is invalid')
  }
  const { model, prompt, size, n, ...others } = parameters
  const [unknown] = Object.keys(others)
  if (unknown) return basicError(400, 'unknown_parameter', `Unknown parameter: ${unknown}.`)
  const isWhole = model === 'gpt-image-2' && typeof prompt === 'string' && typeof n === 'number'
  if (isWhole && /^\d+x\d+$/.test(String(size))) return undefined
  return basicError(400, 'invalid_value', 'A required parameter is missing or wrong.')
}

/** An error in the page's form, which has no `param`. */
export function basicError(status: number, code: string, message: string): CannedReply {
  return { status, body: { error: { message, type: 'error_type', code } } }
}
