// What was fully received survives a crash before it is written to the database: an answer is noted beside its pictures,
// in the spool, before anything else is done with it. Whoever starts next finishes from the note.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Evidence } from './call.ts'
import type { Answer } from '../providers/provider.ts'
import type { Deps } from './deps.ts'

type Done = Extract<Answer, { state: 'DONE' }>

/** An answer as it was received, with the evidence of the call that brought it. */
export interface Receipt {
  attemptId: string
  answer: Done
  evidence: Evidence
}

const SUFFIX = '.receipt.json'

/** Makes an answer and its pictures durable: when this resolves, no crash can lose them any more. */
export async function keepReceipt(deps: Deps, receipt: Receipt): Promise<void> {
  for (const { file } of receipt.answer.images) await sync(file)
  const path = pathOf(deps, receipt.attemptId)
  const draft = `${path}.draft`
  await mkdir(dirname(path), { recursive: true })
  await using handle = await open(draft, 'w')
  await handle.writeFile(JSON.stringify(receipt))
  await handle.sync()
  await rename(draft, path)
  await sync(dirname(path))
}

/** Forgets a receipt whose answer has been settled. Nothing happens when there is none. */
export async function dropReceipt(deps: Deps, attemptId: string): Promise<void> {
  await rm(pathOf(deps, attemptId), { force: true })
}

/** The receipts that a crash left behind on this machine. */
export async function listReceipts(deps: Deps): Promise<Receipt[]> {
  const names = await readdir(deps.store.spool).catch(() => [])
  const found = names.filter((name) => name.endsWith(SUFFIX))
  return await Promise.all(
    found.map(
      async (name) => JSON.parse(await readFile(join(deps.store.spool, basename(name)), 'utf8')) as Receipt,
    ),
  )
}

function pathOf({ store }: Deps, attemptId: string): string {
  return join(store.spool, `${attemptId}${SUFFIX}`)
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
