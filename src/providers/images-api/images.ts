// Everything but the images is optional.
import { BACKGROUNDS, OUTPUT_FORMATS, parseSize, QUALITIES, type Usage } from '../../domain.ts'
import {
  UNKNOWN_USAGE,
  type CallResult,
  type ReceivedImage,
  type ReportedCost,
  type ResolvedSettings,
} from '../provider.ts'
import { DEFAULT_LIMITS, Spilled, spillJson, type SpillLimits } from '../wire/json-spill.ts'
import { MalformedReply } from '../wire/malformed.ts'
import type { ProviderReply } from './client.ts'
import { toSvgUsage, toUsage } from './usage.ts'

/** `url`: as in the reply. */
type Entry = ({ file: string } | { url: string }) & Pick<ReceivedImage, 'revisedPrompt'>

export interface FoundImages extends ReportedCost {
  entries: readonly Entry[]
  usage: Usage
  resolved: ResolvedSettings
}

export interface ImageSearch {
  newFile: () => string
  /** For JSON within JSON. */
  limits?: SpillLimits | undefined
  /** Reads a cost from an object around all images; by default none is reported. */
  costIn?: ((fields: Fields) => ReportedCost['costMicros']) | undefined
  /** An address at the root is an image's. */
  isEntry?: boolean
}

type Done = Extract<CallResult, { state: 'DONE' }>

/**
 * Images in any field, except in a repeated request, and unless declared partial. Addresses count where results are
 * listed or named: elsewhere they may lead to anything. Undefined without an image.
 */
export async function findImages(
  json: unknown,
  { newFile, limits = DEFAULT_LIMITS, costIn, isEntry = false }: ImageSearch,
): Promise<FoundImages | undefined> {
  const found: Found[] = []
  const texts: Place[] = []
  const root: Place = { value: json, name: '', isResult: true, isEntry, holders: [] }
  collect(root, found, texts)
  for (const text of texts) {
    const value = await parseText(String(text.value), newFile, limits)
    collect({ ...text, value }, found, texts)
  }
  const [first] = found
  if (!first) return undefined
  const ofImages = firstIn(first.holders, ({ usage: reported }) => knownUsage(reported)) ?? UNKNOWN_USAGE
  // That of one of several images is not the whole.
  const isOfAll = (fields: Fields) => found.every(({ holders }) => holders.includes(fields))
  const costMicros = firstIn(first.holders, (fields) => {
    const cost = costIn?.(fields)
    return cost !== undefined && isOfAll(fields) ? cost : undefined
  })
  const svg = firstIn(first.holders, ({ svg_usage: reported }) => toSvgUsage(reported))
  const usage = { ...ofImages, ...svg?.counts }
  const resolved = { ...resolvedIn(first.holders), ...(svg?.model !== undefined && { svgModel: svg.model }) }
  return { entries: withoutRepeats(found).map(toEntry), usage, resolved, costMicros }
}

/** Undefined without an image. */
export async function readImages(
  json: unknown,
  reply: Pick<ProviderReply, 'url'>,
  search: ImageSearch,
): Promise<Done | undefined> {
  const found = await findImages(json, search)
  return found && toDone(found, reply)
}

export function toDone(
  { entries, usage, resolved, costMicros }: FoundImages,
  { url: base }: Pick<ProviderReply, 'url'>,
): Done {
  const images = entries.map((entry) =>
    'file' in entry ? entry : { ...entry, url: resolveLink(entry.url, base) },
  )
  return { state: 'DONE', images, usage, resolved, ...(costMicros !== undefined && { costMicros }) }
}

/** As a browser would. */
function resolveLink(link: string, base: string): string {
  return URL.parse(link, base)?.href ?? link
}

type Fields = Readonly<Record<string, unknown>>

interface Place {
  value: unknown
  name: string
  /** All fields up to here may hold results. */
  isResult: boolean
  isEntry: boolean
  /** Enclosing objects, innermost first. */
  holders: readonly Fields[]
}

interface Found {
  image: Spilled | string
  holders: readonly Fields[]
}

const MAX_DEPTH = 64
/** Without a character that an address or JSON has. */
const BLANK = /^[\p{Cc}\p{Cs}\s]*$/u
/** Repeat the request, or declare an image as partial. */
const ASIDE = /^(?:request|input|params|parameters)$|partial|preview|thumb/i
const ADDRESSES = new Set(['url', 'image_url'])
/** Hold results. Others may also describe a task with addresses of its own. */
const RESULTS = new Set(['result', 'results', 'response', 'output', 'outputs', 'image', 'images'])
const WRAPPERS = new Set(['data', 'b64_json', ...ADDRESSES, ...RESULTS])

/** Depth first. `texts` may be JSON. */
function collect(place: Place, found: Found[], texts: Place[]): void {
  const { value, name, isEntry, holders } = place
  if (holders.length > MAX_DEPTH) return
  if (value instanceof Spilled) found.push({ image: value, holders })
  else if (typeof value === 'string') collectText(place, value, found, texts)
  else if (Array.isArray(value)) {
    const nested = [...holders, {}]
    for (const item of value)
      collect(
        { ...place, value: item, isEntry: isEntry || !ADDRESSES.has(name), holders: nested },
        found,
        texts,
      )
  } else if (typeof value === 'object' && value !== null) collectFields(place, { ...value }, found, texts)
}

function collectText(place: Place, text: string, found: Found[], texts: Place[]): void {
  if (!place.isResult || BLANK.test(text)) return
  if (/^\s*["[{]/.test(text)) texts.push(place)
  else if (place.isEntry && (ADDRESSES.has(place.name) || /^\s*https?:\/\//i.test(text)))
    found.push({ image: text, holders: place.holders })
}

/** Bytes before addresses, which may be of the same image. */
function collectFields(place: Place, fields: Fields, found: Found[], texts: Place[]): void {
  const holders = [fields, ...place.holders]
  const collectField = (name: string) => {
    const isResult = place.isResult && WRAPPERS.has(name)
    const isEntry = place.isEntry || RESULTS.has(name)
    collect({ value: fields[name], name, isResult, isEntry, holders }, found, texts)
  }
  const before = found.length
  collectField('b64_json')
  const hasBytes = found.length > before
  for (const name of Object.keys(fields))
    if (name !== 'b64_json' && !ASIDE.test(name) && !(hasBytes && ADDRESSES.has(name))) collectField(name)
}

async function parseText(text: string, newFile: () => string, limits: SpillLimits): Promise<unknown> {
  async function* bytes(): AsyncGenerator<Buffer> {
    yield Buffer.from(text)
  }
  const { value, problem } = await spillJson(bytes(), newFile, limits)
  if (problem !== undefined && !(problem instanceof MalformedReply)) throw problem
  return value
}

/** Some servers repeat an address. */
function withoutRepeats(found: readonly Found[]): Found[] {
  const addresses = new Set<string>()
  return found.filter(({ image }) => {
    if (typeof image !== 'string') return true
    const isNew = !addresses.has(image)
    addresses.add(image)
    return isNew
  })
}

function toEntry({ image, holders }: Found): Entry {
  const revisedPrompt = firstIn(holders, ({ revised_prompt: text }) => textOf(text)) ?? null
  return typeof image === 'string' ? { url: image, revisedPrompt } : { file: image.file, revisedPrompt }
}

/** From the innermost object. */
function firstIn<Value>(holders: readonly Fields[], read: (fields: Fields) => Value | undefined) {
  for (const fields of holders) {
    const value = read(fields)
    if (value !== undefined) return value
  }
  return undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function knownUsage(reported: unknown): Usage | undefined {
  const usage = toUsage(reported)
  return usage.source === 'UNKNOWN' ? undefined : usage
}

/** Unreadable values are absent. */
function resolvedIn(holders: readonly Fields[]): ResolvedSettings {
  const resolved = {
    size: firstIn(holders, ({ size }) => (parseSize(textOf(size) ?? '') ? textOf(size) : undefined)),
    quality: firstIn(holders, ({ quality }) => memberOf(QUALITIES, quality)),
    background: firstIn(holders, ({ background }) => memberOf(BACKGROUNDS, background)),
    outputFormat: firstIn(holders, ({ output_format }) => memberOf(OUTPUT_FORMATS, output_format)),
  }
  return Object.fromEntries(Object.entries(resolved).filter(([, value]) => value !== undefined))
}

function memberOf<Member extends string>(list: readonly Member[], value: unknown): Member | undefined {
  return list.find((member) => member === textOf(value)?.toUpperCase())
}
