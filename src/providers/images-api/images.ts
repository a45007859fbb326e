import { z } from 'zod'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES, type Usage } from '../../domain.ts'
import { ProviderError } from '../error.ts'
import type { CallResult, ReceivedImage, ResolvedSettings } from '../provider.ts'
import { DownloadError } from '../wire/download.ts'
import type { ProviderReply } from './client.ts'
import type { ReplyTo } from './failure.ts'
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

/** Also takes a bare `data` list. Undefined without an image. Throws as `toDone` does. */
export async function readImages(
  json: unknown,
  replyTo: ReplyTo,
  reply: ProviderReply,
): Promise<Done | undefined> {
  const { data: body } = imagesBody.safeParse(Array.isArray(json) ? { data: json } : json)
  const entries = body?.data.filter(hasImage) ?? []
  if (!body || entries.length === 0) return undefined
  return toDone({ entries, usage: toUsage(body.usage), reported: body }, replyTo, reply)
}

/** Leaves out links that fail. When all fail, throws ProviderError: `lost` if a check may succeed, else `broken`. */
export async function toDone(
  { entries, usage, reported }: ImagesWithFacts,
  replyTo: ReplyTo,
  { provider, fetchLink }: ProviderReply,
): Promise<Done> {
  const images: ReceivedImage[] = []
  let failure: DownloadError | undefined
  for (const { b64_json, url, revised_prompt } of entries) {
    try {
      const file = b64_json?.file ?? (await fetchLink(url ?? ''))
      images.push({ file, revisedPrompt: revised_prompt ?? null })
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error
      failure = error
    }
  }
  if (images.length === 0 && failure) throw unreachable(provider, replyTo, failure)
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

function unreachable(provider: string, replyTo: ReplyTo, cause: DownloadError): ProviderError {
  const isTransient = cause.failure === 'UNREACHABLE' || cause.failure === 'TIMED_OUT'
  const kind = replyTo === 'CHECK' && isTransient ? 'lost' : 'broken'
  const message = `${provider} finished the image, but the address of the result ${cause.message}.`
  return new ProviderError({ kind, code: 'RESULT_UNREACHABLE', charged: 'YES', message, cause })
}
