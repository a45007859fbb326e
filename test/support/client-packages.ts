// Packages that only some tests need have locks of their own. One of the tested clients needs another version of graphql.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { npm } from './npm.ts'

/** The folder of the clients' programs: packages that they import are found from here. */
export const CLIENTS_FOLDER = join(import.meta.dirname, '../clients')

export const installClients = () => installPackages(CLIENTS_FOLDER)

/** Installs the packages of a folder unless those of the present lock are there. Needs the registry, or npm's cache. */
export async function installPackages(folder: string): Promise<void> {
  const lock = createHash('sha256')
    .update(await readFile(join(folder, 'package-lock.json')))
    .digest('hex')
  const mark = join(folder, 'node_modules/.installed-lock')
  /** A folder that the installing process holds, with its process id. */
  const turn = join(folder, '.installing')
  while ((await readFile(mark, 'utf8').catch(() => '')) !== lock) {
    if (!(await takeTurn(turn))) {
      await sleep(200)
      continue
    }
    try {
      await npm(['ci', '--prefer-offline', '--loglevel=error'], folder)
      await writeFile(mark, lock)
    } finally {
      await rm(turn, { recursive: true, force: true })
    }
  }
}

/** False if another process installs. The turn of a process that has ended is taken over. */
async function takeTurn(turn: string): Promise<boolean> {
  try {
    await mkdir(turn)
    await writeFile(join(turn, 'pid'), String(process.pid))
    return true
  } catch {
    const pid = Number(await readFile(join(turn, 'pid'), 'utf8').catch(() => '0'))
    if (pid > 0 && !isRunning(pid)) await rm(turn, { recursive: true, force: true })
    return false
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
