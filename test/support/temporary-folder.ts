// The folder of all temporary files of a run. Installing a package writes 20,000 files, for which a disk takes ten times the
// CPU time of memory, and databases of tests need not survive a power failure.
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { availableMemory } from 'node:process'
import { join } from 'node:path'

/** On Linux, a file system in memory. */
const MEMORY = '/dev/shm'
const PREFIX = 'darkroom-tests-'
/** A run uses up to 1 GB. */
const MIN_FREE_BYTES = 6 * 2 ** 30

/** Makes later temporary files of this process and its children go to memory, if there is plenty of it and TMPDIR is not set. */
export function useMemory(): void {
  if (process.env['TMPDIR'] !== undefined || !hasMemory()) return
  removeOfEndedRuns()
  const folder = join(MEMORY, `${PREFIX}${process.pid}`)
  // The user of the PostgreSQL server passes through it.
  mkdirSync(folder, { mode: 0o755, recursive: true })
  process.env['TMPDIR'] = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
}

/** False in a container, whose /dev/shm has 64 MB by default and may run no programs. */
function hasMemory(): boolean {
  try {
    const [, options = ''] = / \/dev\/shm tmpfs (\S+)/.exec(readFileSync('/proc/mounts', 'utf8')) ?? []
    const { bavail, bsize } = statfsSync(MEMORY)
    const free = Math.min(bavail * bsize, availableMemory())
    return options.startsWith('rw') && !options.includes('noexec') && free > MIN_FREE_BYTES
  } catch {
    return false
  }
}

/** A run that was killed leaves its folder. */
function removeOfEndedRuns(): void {
  for (const name of readdirSync(MEMORY)) {
    const isEnded = name.startsWith(PREFIX) && !isRunning(Number(name.slice(PREFIX.length)))
    if (isEnded) rmSync(join(MEMORY, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
