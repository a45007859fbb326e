// The requests that Ace Data Cloud refuses as `bad_request`: those with anything that its pages "Images Generations" and
// "Images Edits" do not list.
import { toStrings, type ReceivedForm } from './form.ts'

type Parameters = Record<string, string>

const COMMON = ['prompt', 'model', 'n', 'size', 'quality', 'background', 'moderation']
const FORMAT = ['output_format', 'output_compression', 'response_format', 'callback_url', 'async', 'trace_id']
const GENERATION = [...COMMON, ...FORMAT, 'partial_images', 'style']
const EDIT = [...COMMON, ...FORMAT, 'input_fidelity']

const MODELS = [
  'dall-e-3',
  'dall-e-2',
  'gpt-image-1',
  'gpt-image-1.5',
  'gpt-image-2',
  'gpt-image-2.5-flare',
  'gpt-image-2.5-sunburst',
]
const VALUES: Record<string, string[]> = {
  background: ['transparent', 'opaque', 'auto'],
  moderation: ['low', 'auto'],
  output_format: ['png', 'jpeg', 'webp'],
  quality: ['auto', 'high', 'medium', 'low', 'hd', 'standard'],
  response_format: ['url', 'b64_json'],
  style: ['vivid', 'natural'],
  input_fidelity: ['high', 'low'],
}
const SIZES: Record<string, string[]> = {
  'dall-e-3': ['1024x1024', '1792x1024', '1024x1792'],
  'dall-e-2': ['256x256', '512x512', '1024x1024'],
  'gpt-image-1': ['1024x1024', '1536x1024', '1024x1536', 'auto'],
  'gpt-image-1.5': ['1024x1024', '1536x1024', '1024x1536', 'auto'],
}

/** Why a generation is refused; undefined if it is valid. */
export function problemWithGeneration(parameters: Record<string, unknown>): string | undefined {
  return problemWith(toStrings(parameters), GENERATION)
}

/** Why an edit is refused; undefined if it is valid. */
export function problemWithEdit({ fields, files }: ReceivedForm): string | undefined {
  const problem = problemWith(fields, EDIT)
  if (problem) return problem
  if (String(fields.model).startsWith('dall-e')) return 'model does not edit'
  const images = files.filter(({ field }) => field === 'image' || field === 'image[]')
  if (images.length === 0 || images.length > 16) return 'image must be 1 to 16 files'
  const unknownFile = files.find(
    ({ field, type }) => !images.some((image) => image.field === field) && field !== 'mask' && type,
  )
  return unknownFile && `unknown file ${unknownFile.field}`
}

function problemWith(parameters: Parameters, allowed: string[]): string | undefined {
  const { model, n = 1, output_compression = 100, partial_images = 0, response_format } = parameters
  const unknown = Object.keys(parameters).find((name) => !allowed.includes(name))
  if (unknown) return `unknown field ${unknown}`
  if (!parameters.prompt) return 'prompt is required'
  if (!MODELS.includes(String(model))) return `model must be one of ${MODELS.join(', ')}`
  const wrong = Object.entries(VALUES).find(
    ([name, values]) => parameters[name] !== undefined && !values.includes(parameters[name] ?? ''),
  )
  if (wrong) return `${wrong[0]} must be one of ${wrong[1].join(', ')}`
  if (!(Number(n) >= 1 && Number(n) <= (model === 'dall-e-3' ? 1 : 10))) return 'n is out of range'
  if (!(Number(output_compression) >= 0 && Number(output_compression) <= 100))
    return 'output_compression is out of range'
  if (!(Number(partial_images) >= 0 && Number(partial_images) <= 3)) return 'partial_images is out of range'
  const isClassic = model === 'gpt-image-1' || model === 'gpt-image-1.5'
  if (isClassic && response_format !== undefined) return `response_format is not supported for ${model}`
  if (parameters.style !== undefined && model !== 'dall-e-3') return 'style is for dall-e-3'
  if (parameters.input_fidelity !== undefined && !isClassic) return 'input_fidelity is not supported'
  return problemWithSize(parameters.size ?? 'auto', String(model), parameters)
}

function problemWithSize(size: string, model: string, parameters: Parameters): string | undefined {
  const sizes = SIZES[model]
  // Models without `auto` use a default size if the field is absent.
  if (sizes)
    return sizes.includes(size) || parameters.size === undefined
      ? undefined
      : `size must be one of ${sizes.join(', ')}`
  if (size === 'auto') return undefined
  const [width = 0, height = 0] = size.split('x').map(Number)
  if (width % 16 || height % 16) return 'size width and height must be multiples of 16'
  return width * height >= 655_360 && width * height <= 8_294_400 ? undefined : 'size is out of range'
}
