// The requests that OpenAI refuses, with status, type and code.
import type { ReceivedRequest } from './openai.ts'

export interface Refusal {
  status: number
  type: string
  code: string | null
  param: string | null
  message: string
}

const COMMON = ['model', 'prompt', 'n', 'size', 'quality', 'user']
const GPT = ['background', 'moderation', 'output_format', 'output_compression', 'stream', 'partial_images']
const LATER = [
  'complexity',
  'safety_identifier',
  'frame_count',
  'frame_duration_ms',
  'svg',
  'svg[model]',
  'svg[reasoning][effort]',
]
const DALLE = ['response_format', 'style']
const EDIT = ['input_fidelity']

/** Why a request is refused; undefined if it is valid. */
export function problemWith(request: ReceivedRequest, apiKey: string): Refusal | undefined {
  const { path, headers, parameters, files } = request
  const isEdit = path.startsWith('/v1/images/edits')
  if (!isEdit && !path.startsWith('/v1/images/generations'))
    return invalid(404, null, null, `Invalid URL (POST ${path})`)
  if (headers.authorization !== `Bearer ${apiKey}`) {
    return invalid(401, 'invalid_api_key', null, 'Incorrect API key provided: sk-wrong-key-abcdef.')
  }
  const model = String(parameters.model)
  const isDalle = model.startsWith('dall-e')
  if (!isDalle && !model.startsWith('gpt-image')) {
    return invalid(404, 'model_not_found', null, `The model '${model}' does not exist.`)
  }
  const allowed = new Set([...COMMON, ...(isDalle ? DALLE : [...GPT, ...LATER]), ...(isEdit ? EDIT : [])])
  const unknown = Object.keys(parameters).find((name) => !allowed.has(name))
  if (unknown) return invalid(400, 'unknown_parameter', unknown, `Unknown parameter: '${unknown}'.`)
  if (parameters.input_fidelity !== undefined && model.startsWith('gpt-image-2')) {
    return user('invalid_input_fidelity_model', 'input_fidelity', `'${model}' does not take input_fidelity.`)
  }
  return problemWithValues(parameters) ?? (isEdit ? problemWithFiles(files) : undefined)
}

function problemWithValues(parameters: Record<string, unknown>): Refusal | undefined {
  const {
    prompt,
    n = 1,
    size = 'auto',
    output_format = 'png',
    output_compression,
    stream,
    partial_images,
  } = parameters
  if (typeof prompt !== 'string' || prompt === '') {
    return invalid(400, 'missing_required_parameter', 'prompt', "Missing required parameter: 'prompt'.")
  }
  if (!(Number(n) >= 1 && Number(n) <= 10)) return user('invalid_value', 'n', `Invalid value: ${String(n)}.`)
  const [width = 0, height = 0] = String(size).split('x').map(Number)
  if (size !== 'auto' && !(width > 0 && height > 0)) {
    return user('invalid_value', 'size', `Invalid size '${String(size)}'.`)
  }
  if (Math.max(width, height) > 3840) {
    const rule = 'The longest edge must be less than or equal to 3840.'
    return user('invalid_value', 'size', `Invalid size '${String(size)}'. ${rule}`)
  }
  if (output_compression !== undefined && output_format === 'png') {
    return user('invalid_value', 'output_compression', 'Compression is for JPEG and WebP only.')
  }
  if (partial_images !== undefined && String(stream) !== 'true') {
    return user('invalid_value', 'partial_images', 'partial_images needs stream.')
  }
  return undefined
}

function problemWithFiles(files: ReceivedRequest['files']): Refusal | undefined {
  const images = files.filter(({ field }) => field === 'image' || field === 'image[]')
  if (images.length === 0) {
    return invalid(400, 'missing_required_parameter', 'image', "Missing required parameter: 'image'.")
  }
  if (images.filter(({ field }) => field === 'image').length > 1) {
    return invalid(
      400,
      'duplicate_parameter',
      'image',
      "Duplicate parameter: 'image'. Use 'image[]' for several.",
    )
  }
  const odd = files.find(({ type }) => !['image/png', 'image/jpeg', 'image/webp'].includes(type))
  return (
    odd && user('unsupported_file_mimetype', odd.field, `Invalid file: unsupported mimetype ('${odd.type}').`)
  )
}

function invalid(status: number, code: string | null, param: string | null, message: string): Refusal {
  return { status, type: 'invalid_request_error', code, param, message }
}

function user(code: string, param: string, message: string): Refusal {
  return { status: 400, type: 'image_generation_user_error', code, param, message }
}
