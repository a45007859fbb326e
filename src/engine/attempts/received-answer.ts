// Write-ahead record of an answer, in the spool beside its images. After a crash it is settled from there.
import { mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { unlessMissing } from '../../assets/disk-error.ts'
import { syncFile, syncFolder } from '../../assets/sync.ts'
import { listAttempts } from '../../db/attempts/attempts.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES, USAGE_SOURCES, WIRE_PHASES } from '../../domain.ts'
import { filesOf } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'

const count = z.number().nullable()
const revisedPrompt = z.string().nullable()

const RECEIVED_ANSWER = z.object({
  /** Null in records of version 0.1. */
  databaseId: z.string().nullable().default(null),
  attemptId: z.string().regex(/^[\w-]+$/),
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
    // Absent in records of version 0.2.
    svgInputTokens: count.default(null),
    svgOutputTokens: count.default(null),
    svgReasoningTokens: count.default(null),
    source: z.enum(USAGE_SOURCES),
  }),
  resolved: z
    .object({
      size: z.string(),
      quality: z.enum(QUALITIES),
      background: z.enum(BACKGROUNDS),
      outputFormat: z.enum(OUTPUT_FORMATS),
      svgModel: z.string(),
    })
    .partial()
    .transform((settings) =>
      Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    ),
  /** Of `ReportedCost`. */
  costMicros: z.int().nullable().optional(),
  evidence: z.object({
    wirePhase: z.enum(WIRE_PHASES),
    httpStatus: z.number().nullable(),
    providerRequestId: z.string().nullable(),
  }),
})

export type ReceivedAnswer = z.output<typeof RECEIVED_ANSWER>

const SUFFIX = '.receipt.json'

type NewAnswer = Omit<z.input<typeof RECEIVED_ANSWER>, 'databaseId'>

/** Once this resolves, no crash of the process loses the answer or its images. A power failure may. */
export async function writeReceivedAnswer(
  { store, databaseId }: Pick<Deps, 'store' | 'databaseId'>,
  answer: NewAnswer,
): Promise<void> {
  const path = join(store.spool, nameOf(answer.attemptId))
  const draft = `${path}.draft`
  await writeFile(draft, JSON.stringify({ databaseId, ...answer }))
  await rename(draft, path)
}

/**
 * Once this resolves, no power failure loses a written answer or its images. Before, one may leave a damaged
 * record.
 */
export async function syncReceivedAnswer(
  { store: { spool } }: Pick<Deps, 'store'>,
  { attemptId, images }: Pick<NewAnswer, 'attemptId' | 'images'>,
): Promise<void> {
  const files = [...filesOf(images), join(spool, nameOf(attemptId))]
  await Promise.all([...files.map(syncFile), syncFolder(spool)])
}

/** Idempotent. */
export async function removeReceivedAnswer({ store }: Pick<Deps, 'store'>, attemptId: string): Promise<void> {
  await unlink(join(store.spool, nameOf(attemptId))).catch(unlessMissing)
}

/** With their images: records of `ended` attempts, and those of all attempts that were set aside. */
export async function discardAnswers(
  { store: { spool } }: Pick<Deps, 'store'>,
  all: readonly string[],
  ended: readonly string[],
): Promise<void> {
  const damaged = damagedFolderOf(spool)
  const places = [...ended.map((id) => [spool, id] as const), ...all.map((id) => [damaged, id] as const)]
  for (const [folder, id] of places) {
    const file = await readAnswerFile(folder, nameOf(id))
    for (const name of file ? [...file.imageNames, file.name] : [])
      await rm(join(folder, name), { force: true })
  }
}

export interface AnswerFile {
  name: string
  modifiedAt: number
  /** Undefined when damaged or unreadable. */
  answer: ReceivedAnswer | undefined
  /** Of images in its text. */
  imageNames: string[]
  /** Why it could not be read. */
  error?: unknown
}

/** Changes nothing. */
export async function readAnswerFiles(spool: string): Promise<AnswerFile[]> {
  const files: AnswerFile[] = []
  for (const name of (await readdir(spool)).filter((one) => one.endsWith(SUFFIX))) {
    const file = await readAnswerFile(spool, name)
    if (file) files.push(file)
  }
  return files
}

/** Undefined when there is none. */
export function findAnswerFile(spool: string, attemptId: string): Promise<AnswerFile | undefined> {
  return readAnswerFile(spool, nameOf(attemptId))
}

/** Settling it failed, and is repeated: an earlier attempt at the same images has an answer in this data folder. */
export async function hasEarlierAnswer(
  { db, store, databaseId }: Pick<Deps, 'db' | 'store' | 'databaseId'>,
  { taskId, part, number }: AttemptRow,
): Promise<boolean> {
  if (number === 1) return false
  const attempts = await listAttempts(db.read, [taskId])
  for (const { id } of attempts.filter((one) => one.part === part && one.number < number)) {
    const answer = (await findAnswerFile(store.spool, id))?.answer
    if (answer && (answer.databaseId === null || answer.databaseId === databaseId)) return true
  }
  return false
}

async function readAnswerFile(spool: string, name: string): Promise<AnswerFile | undefined> {
  const path = join(spool, name)
  try {
    const text = await readFile(path, 'utf8')
    const { mtimeMs: modifiedAt } = await stat(path)
    return { name, modifiedAt, answer: parse(spool, text), imageNames: text.match(SPOOL_NAMES) ?? [] }
  } catch (error) {
    // Its worker has just settled it.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    return { name, modifiedAt: 0, answer: undefined, imageNames: [], error }
  }
}

/** UUIDs, as `AssetStore.newFile` makes them. */
const SPOOL_NAMES = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g

function parse(spool: string, text: string): ReceivedAnswer | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { success, data } = RECEIVED_ANSWER.safeParse(value)
  if (!success) return undefined
  // The data folder may have moved since.
  const images = data.images.map((image) =>
    'file' in image ? { ...image, file: join(spool, basename(image.file)) } : image,
  )
  return { ...data, images }
}

/** Records and their images, which the sweep must keep. */
export async function listAnswerFileNames(spool: string): Promise<Set<string>> {
  return new Set((await readAnswerFiles(spool)).flatMap(({ name, imageNames }) => [name, ...imageNames]))
}

/** Beside the spool, on the same disk. */
export function damagedFolderOf(spool: string): string {
  return join(dirname(spool), 'damaged')
}

/** Moves a record with its images to the folder of damaged records, and logs it. */
export async function setAside(
  { store: { spool }, log }: Pick<Deps, 'store' | 'log'>,
  { name, imageNames }: AnswerFile,
  reason: string,
): Promise<void> {
  const folder = damagedFolderOf(spool)
  await mkdir(folder, { recursive: true })
  for (const file of [...imageNames, name])
    await rename(join(spool, file), join(folder, file)).catch((error: unknown) =>
      log.warn({ file, err: error }, 'moving a file of a damaged received-answer record failed'),
    )
  log.error({ file: name, folder, reason }, 'damaged received-answer record set aside')
}

function nameOf(attemptId: string): string {
  return `${attemptId}${SUFFIX}`
}
