// What was fully received survives a crash before it is written to the database: an answer is noted beside its pictures,
// in the spool, before anything else is done with it. Whoever starts next finishes from the note.
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES, USAGE_SOURCES, WIRE_PHASES } from '../../domain.ts'
import type { Deps } from '../deps.ts'

const count = z.number().nullable()

const RECEIPT = z.object({
  attemptId: z.string(),
  images: z.array(z.object({ file: z.string(), revisedPrompt: z.string().nullable() })),
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

/** A finished answer as it was received, with the evidence of the call that brought it. */
export type Receipt = z.output<typeof RECEIPT>

const SUFFIX = '.receipt.json'

/** Makes an answer and its pictures durable: when this resolves, no crash of the process can lose them any more. */
export async function keepReceipt(deps: Deps, receipt: z.input<typeof RECEIPT>): Promise<void> {
  for (const { file } of receipt.images) await sync(file)
  const path = pathOf(deps, receipt.attemptId)
  const draft = `${path}.draft`
  await using handle = await open(draft, 'w')
  await handle.writeFile(JSON.stringify(receipt))
  await handle.sync()
  await rename(draft, path)
  await sync(deps.store.spool)
}

/** Forgets the receipt of an answer that has been settled. Nothing happens when there is none. */
export async function dropReceipt(deps: Deps, attemptId: string): Promise<void> {
  await rm(pathOf(deps, attemptId), { force: true })
}

/** The receipts that lie in this machine's spool. One that cannot be read is logged and left out. */
export async function listReceipts(deps: Deps): Promise<Receipt[]> {
  const names = await readdir(deps.store.spool)
  const receipts: Receipt[] = []
  for (const name of names.filter((one) => one.endsWith(SUFFIX))) {
    // Gone in between: its owner has settled it.
    const text = await readFile(join(deps.store.spool, name), 'utf8').catch(() => undefined)
    const receipt = text === undefined ? undefined : RECEIPT.safeParse(JSON.parse(text))
    if (receipt?.success) receipts.push(receipt.data)
    else if (receipt)
      deps.log.error({ file: name, err: receipt.error }, 'a receipt makes no sense and is left alone')
  }
  return receipts
}

function pathOf({ store }: Deps, attemptId: string): string {
  return join(store.spool, `${attemptId}${SUFFIX}`)
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
