// SVGs are rendered in a child process: librsvg cannot be interrupted, and a text of a few hundred bytes can take minutes
// and gigabytes.
import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LRUCache } from 'lru-cache'
import { createLimit } from '../limit.ts'
import { svgProblem } from './problem.ts'

/** Completes "the SVG …". */
export class SvgNotRendered extends Error {
  override name = 'SvgNotRendered'
}

export interface RasterJob {
  svg: Buffer
  width: number
  height: number
  /** Of the SVG itself. */
  ownWidth: number
}

/** The rest of a second is for the request around it. */
const JOB_TIMEOUT_MS = 700
const START_TIMEOUT_MS = 20_000
const IDLE_MS = 30_000
const MAX_RESIDENT_BYTES = 256 * 1024 * 1024
const WATCH_MS = 20
/** After which a failed SVG is tried again: the machine may have been busy. */
const FAILURE_MS = 60_000
const PAGE_BYTES = 4096

const ENTRY = fileURLToPath(new URL(`./rasteriser-child${extname(import.meta.url)}`, import.meta.url))

interface Child {
  process: ChildProcess
  ready: Promise<void>
  idle?: NodeJS.Timeout
}

const limit = createLimit(1)
const failed = new LRUCache<string, string>({ max: 1000, ttl: FAILURE_MS })
let current: Child | undefined

/** A PNG of the given size. One at a time, bounded in time and memory. Throws SvgNotRendered. */
export async function rasteriseSvg(job: RasterJob): Promise<Buffer> {
  const problem = svgProblem(job.svg)
  if (problem !== undefined) throw new SvgNotRendered(problem)
  const key = createHash('sha256').update(job.svg).digest('base64')
  const queuedAt = performance.now()
  return limit(async () => {
    const known = failed.get(key)
    if (known !== undefined) throw new SvgNotRendered(known)
    if (performance.now() - queuedAt > JOB_TIMEOUT_MS) throw new SvgNotRendered('has to wait for others')
    try {
      return await run(job)
    } catch (error) {
      if (error instanceof SvgNotRendered) failed.set(key, error.message)
      throw error
    }
  })
}

async function run(job: RasterJob): Promise<Buffer> {
  const child = (current ??= start())
  clearTimeout(child.idle)
  try {
    await child.ready
    return await ask(child, job)
  } finally {
    child.idle = setTimeout(() => end(child), IDLE_MS).unref()
  }
}

function start(): Child {
  const started = fork(ENTRY, { serialization: 'advanced', stdio: 'ignore', execArgv: [] })
  const child: Child = {
    process: started,
    ready: new Promise<void>((resolve, reject) => {
      started.once('message', () => resolve())
      started.once('error', reject)
      started.once('exit', () => reject(new SvgNotRendered('could not be rendered: the renderer ended')))
      setTimeout(() => reject(new Error('The renderer of SVGs did not start.')), START_TIMEOUT_MS).unref()
    }),
  }
  // Rejections are those of the job that waits.
  child.ready.catch(() => end(child))
  started.on('exit', () => end(child))
  // The server's end does not wait for it; it ends with its channel.
  started.unref()
  started.channel?.unref()
  return child
}

function end(child: Child): void {
  clearTimeout(child.idle)
  if (current === child) current = undefined
  child.process.kill('SIGKILL')
}

function ask(owner: Child, job: RasterJob): Promise<Buffer> {
  const { process: child } = owner
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const stop = (reason: string) => {
    reject(new SvgNotRendered(reason))
    // Its exit is reported later; the next job must not meet it.
    end(owner)
  }
  const onMessage = (message: unknown) => {
    if (message instanceof Uint8Array) resolve(Buffer.from(message))
    else reject(new SvgNotRendered('cannot be parsed'))
  }
  const onExit = () => reject(new SvgNotRendered('needs too much memory or time'))
  const timer = setTimeout(() => stop('takes too long to render'), JOB_TIMEOUT_MS)
  const watch = setInterval(() => {
    if (residentBytes(child) > MAX_RESIDENT_BYTES) stop('needs too much memory to render')
  }, WATCH_MS)
  child.once('message', onMessage)
  child.once('exit', onExit)
  child.send(job, (error) => {
    if (error) reject(error)
  })
  return promise.finally(() => {
    clearTimeout(timer)
    clearInterval(watch)
    child.off('message', onMessage)
    child.off('exit', onExit)
  })
}

/** 0 where the system does not tell: https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}
