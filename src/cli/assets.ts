import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { AssetStore } from '../assets/store.ts'
import { formatBytes } from '../quantity.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'
import { jsonText } from './output.ts'

export const assets: Command = {
  name: 'assets',
  summary: 'Copy all images to a bucket or to a folder',
  usage: 'copy --to <place> [--from <place>] [--json]',
  takesPositionals: true,
  options: {
    '--to <place>': 's3://bucket/prefix?…, or a data folder',
    '--from <place>': 'As --to (default: ASSETS_URL, or DATA_DIR)',
    '--json': 'Print the counts as JSON',
  },
  notes: {
    'How it copies': {
      'which images': 'Those that the database refers to; a server may be running',
      again: 'Images that are there already are left out, so run it again after an interruption',
      verified: 'By the SHA-256 of each image; a damaged one is named and not copied',
    },
    'Move a server': {
      '1': 'Run the command while the server runs',
      '2': 'Stop the server, and run it once more for the images that were made meanwhile',
      '3': 'Set ASSETS_URL, or unset it, and start',
    },
  },
  examples: [
    "darkroom assets copy --to 's3://pictures?region=eu-central-1'",
    "darkroom assets copy --from 's3://pictures' --to ./data",
  ],
  run: runAssets,
}

const PAGE = 500
const AT_ONCE = 8
const MAX_NAMED = 10

interface Counts {
  copied: number
  bytes: number
  present: number
  missing: string[]
  damaged: string[]
}

async function runAssets(
  { positionals, values, flags }: Arguments,
  context: CommandContext,
): Promise<number> {
  const to = values['to']
  if (positionals.join() !== 'copy' || to === undefined)
    throw new UsageError('`darkroom assets` takes: copy --to <place>.')
  const config = await readConfig(context)
  const { openAssetStore } = await import('../assets/open.ts')
  const { s3UrlProblem } = await import('../assets/s3/settings.ts')
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { getDatabaseCreatedAt } = await import('../db/maintenance/retention.ts')
  const { listHashes } = await import('../db/tasks/assets.ts')

  const placeOf = (option: string, value: string) => {
    if (!value.includes('://')) return { dataDir: resolve(context.cwd, value), assetsUrl: null }
    const problem = s3UrlProblem(value)
    if (problem !== undefined) throw new UsageError(`${option} is not a place: ${problem}.`)
    return { dataDir: config.dataDir, assetsUrl: value }
  }
  const target = placeOf('--to', to)
  const source = values['from'] === undefined ? config : placeOf('--from', values['from'])
  if (
    target.assetsUrl === source.assetsUrl &&
    (target.assetsUrl !== null || target.dataDir === source.dataDir)
  )
    throw new UsageError('--to is the place from which images are copied. Name another one.')

  const { result } = await inspectDatabase(config, async (q) => {
    const [from, into] = [await openAssetStore(source), await openAssetStore(target)]
    try {
      if (!(await into.claimOwner(String(await getDatabaseCreatedAt(q)))))
        throw new Error(`${to} belongs to another database. Choose another prefix or folder.`)
      const counts: Counts = { copied: 0, bytes: 0, present: 0, missing: [], damaged: [] }
      for (let after = ''; ;) {
        const hashes = await listHashes(q, after, PAGE)
        if (hashes.length === 0) return counts
        after = hashes.at(-1)!
        await copyAll(hashes, from, into, counts)
        if (context.err.isTerminal)
          context.err.write(`\r${counts.copied} copied, ${counts.present} present …`)
      }
    } finally {
      await Promise.all([from.close(), into.close()])
    }
  })
  if (context.err.isTerminal) context.err.write('\r\x1b[K')
  context.out.write(flags.has('json') ? jsonText(result) : page(result, source.assetsUrl ?? source.dataDir))
  return result.missing.length + result.damaged.length === 0 ? EXIT.ok : EXIT.failed
}

async function copyAll(hashes: string[], from: AssetStore, into: AssetStore, counts: Counts): Promise<void> {
  const queue = [...hashes]
  const work = async () => {
    for (let sha256 = queue.pop(); sha256 !== undefined; sha256 = queue.pop())
      await copyOne(sha256, from, into, counts)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

async function copyOne(sha256: string, from: AssetStore, into: AssetStore, counts: Counts): Promise<void> {
  const { digest } = await import('../assets/digest.ts')
  if (await unlessMissing(into.touch(sha256).then(() => true))) {
    counts.present++
    return
  }
  const file = into.newFile()
  try {
    const content = await unlessMissing(from.open(sha256))
    if (!content) {
      counts.missing.push(sha256)
      return
    }
    await pipeline(content, createWriteStream(file))
    const { sha256: found, byteSize } = await digest(file)
    if (found !== sha256) {
      counts.damaged.push(sha256)
      return
    }
    await into.put(file)
    counts.copied++
    counts.bytes += byteSize
  } finally {
    await rm(file, { force: true })
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  const { AssetMissing } = await import('../assets/store.ts')
  try {
    return await work
  } catch (error) {
    if (error instanceof AssetMissing) return undefined
    throw error
  }
}

function page({ copied, bytes, present, missing, damaged }: Counts, source: string): string {
  return [
    `Copied ${images(copied)} (${formatBytes(bytes)}); ${present} were there already.\n`,
    missing.length > 0 ? `Missing at ${source}: ${images(missing.length)}\n${named(missing)}` : '',
    damaged.length > 0
      ? `Damaged at ${source}, not copied: ${images(damaged.length)}\n${named(damaged)}`
      : '',
  ].join('')
}

function images(count: number): string {
  return `${count} ${count === 1 ? 'image' : 'images'}`
}

function named(hashes: readonly string[]): string {
  const lines = hashes.slice(0, MAX_NAMED).map((sha256) => `  ${sha256}\n`)
  const more = hashes.length - lines.length
  return lines.join('') + (more > 0 ? `  … and ${more} more\n` : '')
}
