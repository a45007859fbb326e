// Write-ahead record of a received answer, in the spool beside its images. After a crash the next start settles it.
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES, USAGE_SOURCES, WIRE_PHASES } from '../../domain.ts'
import { filesOf } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'

const count = z.number().nullable()
const revisedPrompt = z.string().nullable()

const RECEIVED_ANSWER = z.object({
  attemptId: z.string(),
  images: z.array(
    z.union([z.object({ file: z.string(), revisedPrompt }), z.object({ url: z.string(), revisedPrompt })]),
  ),
  usage: z.object({
    inputTokens: count,
    outputTokens: count,
    totalTokens: count,
    inputTextTokens: count,
    inputImageTokens: count,
    outputTextTokens: count,
    outputImageTokens: count,
    source: z.enum(USAGE_SOURCES),
  }),
  resolved: z
    .object({
      size: z.string(),
      quality: z.enum(QUALITIES),
      background: z.enum(BACKGROUNDS),
      outputFormat: z.enum(OUTPUT_FORMATS),
    })
    .partial()
    .transform((settings) =>
      Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    ),
  evidence: z.object({
    wirePhase: z.enum(WIRE_PHASES),
    httpStatus: z.number().nullable(),
    providerRequestId: z.string().nullable(),
  }),
})

export type ReceivedAnswer = z.output<typeof RECEIVED_ANSWER>

const SUFFIX = '.receipt.json'

/** Once this resolves, no crash of the process can lose the answer or its images. */
export async function writeReceivedAnswer(
  deps: Pick<Deps, 'store'>,
  answer: z.input<typeof RECEIVED_ANSWER>,
): Promise<void> {
  for (const file of filesOf(answer.images)) await sync(file)
  const path = pathOf(deps, answer.attemptId)
  const draft = `${path}.draft`
  await using handle = await open(draft, 'w')
  await handle.writeFile(JSON.stringify(answer))
  await handle.sync()
  await rename(draft, path)
  await sync(deps.store.spool)
}

/** Idempotent. */
export async function removeReceivedAnswer(deps: Pick<Deps, 'store'>, attemptId: string): Promise<void> {
  await rm(pathOf(deps, attemptId), { force: true })
}

/** A malformed record is logged and skipped. */
export async function listReceivedAnswers(deps: Pick<Deps, 'store' | 'log'>): Promise<ReceivedAnswer[]> {
  const names = await readdir(deps.store.spool)
  const answers: ReceivedAnswer[] = []
  for (const name of names.filter((one) => one.endsWith(SUFFIX))) {
    // Undefined when its owner has just settled it.
    const text = await readFile(join(deps.store.spool, name), 'utf8').catch(() => undefined)
    const answer = text === undefined ? undefined : RECEIVED_ANSWER.safeParse(JSON.parse(text))
    if (answer?.success) answers.push(answer.data)
    else if (answer) deps.log.error({ file: name, err: answer.error }, 'received-answer record is malformed')
  }
  return answers
}

function pathOf({ store }: Pick<Deps, 'store'>, attemptId: string): string {
  return join(store.spool, `${attemptId}${SUFFIX}`)
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
