// A missing image is an error: the edit would be charged as a generation.
import { UploadedFile } from '../../assets/upload.ts'
import type { RawImage } from '../../engine/images/store-inputs.ts'
import type { Form } from '../security/form.ts'
import { InvalidRequest } from './invalid-request.ts'

export interface InputImages {
  images: RawImage[]
  mask: RawImage | null
  markup: RawImage | null
}

/** SDKs send `image`, `image[]`, `image[0]` or `images`. */
const IMAGE_PART = /^images?(?:\[\d*\])?$/
const GUIDE_PART = /^(?:mask|markup)(?:\[\d*\])?$/

export const isImagePart = (name: string) => IMAGE_PART.test(name) || GUIDE_PART.test(name)

export function imagesOfForm(form: Form): InputImages {
  const parts = form.filter(({ name, value }) => isImagePart(name) && value !== '')
  const guide = (name: 'mask' | 'markup') => {
    const [first, second] = parts.filter((part) => part.name.replace(/\[\d*\]$/, '') === name)
    if (second) throw invalid(name, `${name} was sent twice; an edit has one ${name}.`)
    return first ? toImage(first.value, first.name) : null
  }
  const images = parts.filter(({ name }) => IMAGE_PART.test(name))
  return atLeastOne({
    images: images.map(({ name, value }) => toImage(value, name)),
    mask: guide('mask'),
    markup: guide('markup'),
  })
}

export function imagesOfBody(body: Readonly<Record<string, unknown>>): InputImages {
  const guide = (name: 'mask' | 'markup') =>
    body[name] === undefined || body[name] === null ? null : toImage(body[name], name)
  return atLeastOne({
    images: [...listOf(body['image'], 'image'), ...listOf(body['images'], 'images')],
    mask: guide('mask'),
    markup: guide('markup'),
  })
}

function atLeastOne(found: InputImages): InputImages {
  if (found.images.length > 0) return found
  throw new InvalidRequest('missing_required_parameter', 'An edit needs at least one image.', 'image')
}

function listOf(value: unknown, name: string): RawImage[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return [toImage(value, name)]
  return value.map((one, i) => toImage(one, `${name}[${i}]`))
}

/** An upload, a data URL, an https URL, an id, or an object with one of them. */
function toImage(value: unknown, name: string): RawImage {
  if (value instanceof UploadedFile) return { upload: value }
  if (typeof value === 'string') return textToImage(value, name)
  if (typeof value !== 'object' || value === null) throw invalid(name, `${name} is no image.`)
  const { image_url: imageUrl, file_id: fileId }: Record<string, unknown> = { ...value }
  const url = typeof imageUrl === 'object' && imageUrl !== null && 'url' in imageUrl ? imageUrl.url : imageUrl
  const hasUrl = url !== undefined && url !== null
  const hasId = fileId !== undefined && fileId !== null
  if (hasUrl === hasId) throw invalid(name, `${name} must have either image_url or file_id.`)
  if (hasId) return idToImage(fileId, `${name}.file_id`)
  if (typeof url !== 'string') throw invalid(`${name}.image_url`, `${name}.image_url must be a string.`)
  return textToImage(url, `${name}.image_url`)
}

function textToImage(text: string, name: string): RawImage {
  if (/^data:/i.test(text)) return { dataUrl: text }
  if (/^https?:/i.test(text)) return { url: text }
  return idToImage(text, name)
}

function idToImage(id: unknown, name: string): RawImage {
  if (typeof id === 'string' && /^img_\w{1,64}$/.test(id)) return { imageId: id }
  throw invalid(
    name,
    `${name} is no image of this server. Use the id of an earlier image (img_…), a data URL, an https URL, or upload the file.`,
  )
}

function invalid(param: string, message: string): InvalidRequest {
  return new InvalidRequest('invalid_value', message, param)
}
