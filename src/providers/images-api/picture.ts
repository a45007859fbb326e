import { z } from 'zod'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES } from '../../domain.ts'
import { DownloadError } from '../wire/download.ts'
import { ProviderError } from '../error.ts'
import type { ReceivedImage, ResolvedSettings } from '../provider.ts'

const words = z.string().min(1).nullish().catch(null)

/** A picture in a reply: bytes that were spilled to a file, or a link to it. */
export const picture = z.object({
  b64_json: z.object({ file: z.string() }).nullish().catch(null),
  url: words,
  revised_prompt: words,
})

/** What the upstream says it chose. */
export const chosen = z.object({ size: words, quality: words, background: words, output_format: words })

/** Fetches a link of a reply into the spool, and gives the file. Throws DownloadError. */
export type FetchLink = (url: string) => Promise<string>

/** Whether there is a picture at all: some servers list one with neither bytes nor link. */
export function hasPicture({ b64_json, url }: z.output<typeof picture>): boolean {
  return Boolean(b64_json ?? url)
}

/**
 * The pictures as files. Links that lead nowhere are left out as long as one picture is there; without any, throws
 * ProviderError RESULT_UNREACHABLE, charged, since the upstream did its work.
 */
export async function receive(
  pictures: readonly z.output<typeof picture>[],
  provider: string,
  fetchLink: FetchLink,
): Promise<ReceivedImage[]> {
  const images: ReceivedImage[] = []
  let failure: DownloadError | undefined
  for (const { b64_json, url, revised_prompt } of pictures) {
    try {
      const file = b64_json?.file ?? (await fetchLink(url ?? ''))
      images.push({ file, revisedPrompt: revised_prompt ?? null })
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error
      failure = error
    }
  }
  if (images.length === 0 && failure) throw unreachable(provider, failure)
  return images
}

/** The upstream's choices in our words; what it did not say, or said in words unknown to us, is absent. */
export function toResolved({
  size,
  quality,
  background,
  output_format,
}: z.output<typeof chosen>): ResolvedSettings {
  const resolved = {
    size: size ?? undefined,
    quality: wordIn(QUALITIES, quality),
    background: wordIn(BACKGROUNDS, background),
    outputFormat: wordIn(OUTPUT_FORMATS, output_format),
  }
  return Object.fromEntries(Object.entries(resolved).filter(([, value]) => value !== undefined))
}

function wordIn<Word extends string>(
  list: readonly Word[],
  text: string | null | undefined,
): Word | undefined {
  return list.find((word) => word === text?.toUpperCase())
}

function unreachable(provider: string, cause: DownloadError): ProviderError {
  return new ProviderError({
    kind: 'broken',
    code: 'RESULT_UNREACHABLE',
    message: `${provider} finished the picture, but the address it gave ${cause.message}.`,
    charged: 'YES',
    cause,
  })
}
