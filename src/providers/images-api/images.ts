import { z } from 'zod'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES, type Usage } from '../../domain.ts'
import type { CallResult, ResolvedSettings } from '../provider.ts'
import { toUsage } from './usage.ts'

const text = z.string().min(1).nullish().catch(null)

export const imageEntry = z.object({
  b64_json: z.object({ file: z.string() }).nullish().catch(null),
  url: text,
  revised_prompt: text,
})

export const reportedSettings = z.object({ size: text, quality: text, background: text, output_format: text })

const imagesBody = z.object({
  ...reportedSettings.shape,
  data: z.array(imageEntry).catch([]),
  usage: z.unknown().optional(),
})

interface ImagesWithFacts {
  entries: readonly z.output<typeof imageEntry>[]
  usage: Usage
  reported: z.output<typeof reportedSettings>
}

type Done = Extract<CallResult, { state: 'DONE' }>

/** Also takes a bare `data` list. Undefined without an image. */
export function readImages(json: unknown): Done | undefined {
  const { data: body } = imagesBody.safeParse(Array.isArray(json) ? { data: json } : json)
  const entries = body?.data.filter(hasImage) ?? []
  if (!body || entries.length === 0) return undefined
  return toDone({ entries, usage: toUsage(body.usage), reported: body })
}

/** Of an entry with bytes and a link, the bytes count. */
export function toDone({ entries, usage, reported }: ImagesWithFacts): Done {
  const images = entries.map(({ b64_json, url, revised_prompt }) => ({
    ...(b64_json ? { file: b64_json.file } : { url: url ?? '' }),
    revisedPrompt: revised_prompt ?? null,
  }))
  return { state: 'DONE', images, usage, resolved: toResolved(reported) }
}

/** Some servers send empty entries. */
export function hasImage({ b64_json, url }: z.output<typeof imageEntry>): boolean {
  return Boolean(b64_json ?? url)
}

function toResolved(reported: z.output<typeof reportedSettings>): ResolvedSettings {
  const resolved = {
    size: reported.size ?? undefined,
    quality: memberOf(QUALITIES, reported.quality),
    background: memberOf(BACKGROUNDS, reported.background),
    outputFormat: memberOf(OUTPUT_FORMATS, reported.output_format),
  }
  return Object.fromEntries(Object.entries(resolved).filter(([, value]) => value !== undefined))
}

function memberOf<Member extends string>(list: readonly Member[], value?: string | null): Member | undefined {
  return list.find((member) => member === value?.toUpperCase())
}
