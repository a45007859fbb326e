// The part of the contract about damaged replies: an image that arrives is kept, whatever stands around it.
import { describe, expect, it } from 'vitest'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES, type Usage } from '../../../src/domain.ts'
import { ProviderError } from '../../../src/providers/error.ts'
import type { Call, CallResult, Provider, ReceivedImage } from '../../../src/providers/provider.ts'
import { openCall, readImage, requestOf } from '../call.ts'
import { openSubject } from '../contract-subject.ts'
import type { WireSubject } from '../contract-wire.ts'
import { damaged } from './damaged-replies.ts'
import { makeImage } from '../upstreams/make-image.ts'

const MIN_DAMAGED_REPLIES = 400
/** For replies that hang. */
const DEADLINE_MS = 1000

export function testDamage(name: string, subject: WireSubject): void {
  describe(`${name} with a damaged reply`, () => {
    it('keeps the image that is in it, or reports that the charge is unknown', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { call } = await openCall()
      const bytes = await makeImage({}, 1, '16x16')
      const url = new URL(`/images/${upstream.imageBytes.push(bytes) - 1}`, upstream.url).href
      const image = { b64_json: bytes.toString('base64'), url }
      const id = await acceptedId(provider, call, subject)
      const replies = subject.results(image, id ?? '').flatMap((good) => damaged(good, image))
      expect(replies.length).toBeGreaterThanOrEqual(subject.minDamagedReplies ?? MIN_DAMAGED_REPLIES)
      const problems: string[] = []
      const read = (received: ReceivedImage) => readImage(provider, received, call)
      for (const { says, reply, hasImage } of replies) {
        upstream.script(reply)
        const signal = AbortSignal.timeout(DEADLINE_MS)
        const ended = await receive(provider, { ...call, signal }, id)
        const problem = hasImage
          ? await problemWithImage(ended, bytes, read)
          : await problemWithout(ended, read)
        if (problem) problems.push(`${says}: ${problem}`)
      }
      expect(problems.slice(0, 40), `${problems.length} of ${replies.length}`).toEqual([])
    })
  })
}

/** Undefined for a provider that returns the result with the submit. */
async function acceptedId(
  provider: Provider,
  call: Call,
  { polling }: WireSubject,
): Promise<string | undefined> {
  if (!polling) return undefined
  const answer = await provider.submit(requestOf(), call)
  if (answer.state !== 'ACCEPTED') throw new Error(`The request was not accepted but ${answer.state}`)
  return answer.remoteId
}

async function receive(provider: Provider, call: Call, id: string | undefined): Promise<CallResult | Error> {
  try {
    return await (id === undefined
      ? provider.submit(requestOf(), call)
      : provider.check!(id, requestOf(), call))
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

async function problemWithImage(
  ended: CallResult | Error,
  bytes: Buffer,
  read: Read,
): Promise<string | undefined> {
  if (ended instanceof Error) return `the image is lost: ${ended.message}`
  if (ended.state !== 'DONE') return `the image is not seen: ${ended.state}`
  const [image, ...others] = ended.images
  if (!image || others.length > 0) return `${ended.images.length} images`
  if (!(await read(image)).equals(bytes)) return 'the image has other bytes'
  if (image.revisedPrompt !== null && typeof image.revisedPrompt !== 'string') return 'the prompt is no text'
  const { quality, background, outputFormat, size } = ended.resolved
  const words: string[] = [quality, background, outputFormat].flatMap((word) => word ?? [])
  if (words.some((word) => !KNOWN.has(word))) return `resolved to ${JSON.stringify(ended.resolved)}`
  if (size !== undefined && !/^\d{1,5}x\d{1,5}$/.test(size))
    return `resolved to the size ${size.slice(0, 40)}`
  return problemWithUsage(ended.usage)
}

const KNOWN = new Set<string>([...QUALITIES, ...BACKGROUNDS, ...OUTPUT_FORMATS])

function problemWithUsage({ source, ...counts }: Usage): string | undefined {
  const wrong = Object.entries(counts).find(
    ([, count]) => count !== null && !(Number.isSafeInteger(count) && count >= 0),
  )
  return wrong && `the ${source} usage has ${wrong.join(' ')}`
}

type Read = (image: ReceivedImage) => Promise<Buffer>

/** The upstream may have painted: nothing proves that it did not charge. A damaged address leads nowhere. */
async function problemWithout(ended: CallResult | Error, read: Read): Promise<string | undefined> {
  if (!(ended instanceof Error)) {
    if (ended.state !== 'DONE') return undefined
    const found = await Promise.allSettled(ended.images.map(read))
    return found.some(({ status }) => status === 'fulfilled') ? 'an image came from nowhere' : undefined
  }
  if (!(ended instanceof ProviderError)) return `not a ProviderError: ${ended.stack ?? ended.message}`
  const { kind, charged } = ended.failure
  return charged === 'NO' ? `it is ${kind}, charged NO` : undefined
}
