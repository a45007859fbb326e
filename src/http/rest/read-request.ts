import { DEFAULT_INPUT, type TaskInput } from '../../engine/tasks/input.ts'
import { nearest } from '../../nearest.ts'
import { requestError } from '../refusal.ts'
import type { Bodies } from '../security/bodies.ts'
import { lengthOf, MAX_JSON_BYTES, MAX_UPLOAD_BYTES } from '../security/body.ts'
import type { Form } from '../security/form.ts'
import { readExtensions, type Extensions } from './extensions.ts'
import { FIELDS, RESPONSE_FIELDS, setField } from './fields.ts'
import { imagesOfBody, imagesOfForm, isImagePart } from './input-images.ts'
import { InvalidRequest } from './invalid-request.ts'
import { withSvgOfForm } from './svg-field.ts'
import { readBoolean, readChoice, readObject } from './values.ts'

/** A difference that the engine does not know. */
export interface RestWarning {
  code: string
  field: string | null
  message: string
}

export type ResponseFormat = 'url' | 'b64_json'

export interface CreateRequest extends Omit<Extensions, 'input'> {
  input: TaskInput
  isForm: boolean
  isStream: boolean
  responseFormat: ResponseFormat
  isFormatGiven: boolean
  warnings: RestWarning[]
}

interface Body {
  fields: Readonly<Record<string, unknown>>
  /** Undefined for JSON. */
  form: Form | undefined
}

/** `held` disposes of files. Throws InvalidRequest, and the errors of body readers. */
export async function readCreateRequest(
  request: Request,
  target: { operation: 'GENERATE' | 'EDIT'; model: string | null },
  { bodies, modelAliases, held }: ReadOptions,
): Promise<CreateRequest> {
  const { fields, form } = await readBody(request, bodies, held)
  const isForm = form !== undefined
  const extensions = readObject(fields['darkroom'] ?? {}, 'darkroom', isForm)
  const { input: extended, ...behavior } = readExtensions(request.headers, extensions)
  const warnings: RestWarning[] = []
  const given: Partial<TaskInput> = {}
  const images = form ? () => imagesOfForm(form) : () => imagesOfBody(fields)
  if (target.operation === 'EDIT') Object.assign(given, images())
  if (target.model !== null) given.model = target.model
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined || RESPONSE_FIELDS.has(name)) continue
    if (isImagePart(name)) {
      if (target.operation === 'GENERATE') throw imageInGeneration(name)
      continue
    }
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
    if (field) setField(given, field, field.read(value, name, isForm))
    else warnings.push(unknownField(name))
  }
  const { stream, response_format: format } = fields
  const isStream = stream === undefined || stream === null ? false : readBoolean(stream, 'stream', isForm)
  const isFormatGiven = format !== undefined && format !== null && format !== ''
  const model = given.model ?? DEFAULT_INPUT.model
  applyAlias(given, modelAliases, warnings)
  dropUnusable(given, isStream, warnings)
  checkFrames(given, fields)
  const input = { ...DEFAULT_INPUT, ...given, ...extended, prompt: given.prompt ?? '' }
  if (input.prompt.trim() === '')
    throw new InvalidRequest('missing_required_parameter', 'prompt is missing. Describe the image.', 'prompt')
  const [first] = warnings
  if (first && input.unsupported === 'ERROR')
    throw new InvalidRequest('unsupported_parameter', first.message, first.field)
  return {
    input,
    isForm,
    ...behavior,
    isStream,
    isFormatGiven,
    // OpenAI's default for DALL·E.
    responseFormat: isFormatGiven
      ? readChoice(format, 'response_format', ['url', 'b64_json'])
      : /^dall-e-[23]$/.test(model)
        ? 'url'
        : 'b64_json',
    warnings,
  }
}

export interface ReadOptions {
  bodies: Bodies
  modelAliases: Readonly<Record<string, string>>
  held: AsyncDisposableStack
}

async function readBody(request: Request, bodies: Bodies, held: AsyncDisposableStack): Promise<Body> {
  const type = request.headers.get('content-type') ?? ''
  const isForm = /^multipart\/form-data\b/i.test(type)
  if (!isForm && !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type))
    throw requestError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The content type is "${type.slice(0, 60)}". Send application/json, or multipart/form-data with files.`,
    )
  const maxBytes = isForm ? MAX_UPLOAD_BYTES : MAX_JSON_BYTES
  const length = lengthOf(request)
  if (length !== null && length > maxBytes) throw tooLarge(maxBytes)
  if (isForm) {
    const form = await bodies.receiveUpload(request, held, { maxFields: MAX_FORM_FIELDS, isPartAFile })
    const fields = Object.fromEntries(form.map(({ name, value }) => [name, value]))
    return { fields: withSvgOfForm(fields), form }
  }
  const body = await bodies.read(request, held)
  if (body === undefined) throw tooLarge(maxBytes)
  return { fields: parseObject(body), form: undefined }
}

const MAX_FORM_FIELDS = 60

/** Java sends images without a file name, and each text part with a type. */
function isPartAFile(_: string | undefined, contentType?: string, fileName?: string): boolean {
  return fileName !== undefined || !/^text\//i.test(contentType ?? 'text/plain')
}

function parseObject(body: Buffer): Record<string, unknown> {
  const text = body.toString('utf8').replace(/^\uFEFF/, '')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // The parser's message repeats the text.
  }
  throw requestError('BAD_REQUEST', 'The body is not a JSON object.')
}

function tooLarge(maxBytes: number): Error {
  return requestError(
    'REQUEST_TOO_LARGE',
    `The body is too large; the maximum is ${maxBytes / 1024 / 1024} MiB.`,
  )
}

function applyAlias(
  given: Partial<TaskInput>,
  aliases: ReadOptions['modelAliases'],
  warnings: RestWarning[],
): void {
  const { model } = given
  if (model === undefined || !Object.hasOwn(aliases, model)) return
  const target = aliases[model]!
  given.model = target
  warnings.push({ code: 'MODEL_ALIASED', field: 'model', message: `${model} stands for ${target} here.` })
}

/** Form defaults of SDKs, and settings that have no effect. */
function dropUnusable(given: Partial<TaskInput>, isStream: boolean, warnings: RestWarning[]): void {
  const ignored = (field: string, message: string) =>
    void warnings.push({ code: 'SETTING_IGNORED', field, message })
  const { outputCompression, outputFormat = DEFAULT_INPUT.outputFormat, partialImages } = given
  if (typeof outputCompression === 'number' && outputFormat === 'PNG') {
    delete given.outputCompression
    if (outputCompression !== 100)
      ignored('output_compression', 'PNG has no compression level; output_compression is ignored.')
  }
  if (partialImages === undefined || isStream) return
  delete given.partialImages
  if (partialImages !== 0) ignored('partial_images', 'Without stream, partial_images is ignored.')
}

/** One setting in the engine. */
function checkFrames({ animation, outputFormat }: Partial<TaskInput>, fields: Body['fields']): void {
  if (!animation || outputFormat === 'GIF') return
  const name = (fields['frame_count'] ?? null) === null ? 'frame_duration_ms' : 'frame_count'
  throw new InvalidRequest('unsupported_parameter', `${name} is for output_format gif only.`, name)
}

function imageInGeneration(name: string): InvalidRequest {
  return new InvalidRequest(
    'unsupported_parameter',
    `${name} belongs to /v1/images/edits; a generation has no input image.`,
    name,
  )
}

function unknownField(name: string): RestWarning {
  const shown = name.slice(0, 60)
  const meant = nearest(name, [...Object.keys(FIELDS), ...RESPONSE_FIELDS])
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
  return { code: 'UNKNOWN_FIELD', field: shown, message: `${shown} is not a field and is ignored.${hint}` }
}
