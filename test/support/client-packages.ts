// The packages of the tested clients have a lock of their own, because one needs another version of graphql.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { npm } from './npm.ts'

/** The folder of the clients' programs: packages that they import are found from here. */
export const CLIENTS_FOLDER = join(import.meta.dirname, '../clients')

/** Installs the packages unless those of the present lock are there. Needs the registry, or npm's cache. */
export async function installClients(): Promise<void> {
  const lock = createHash('sha256')
    .update(await readFile(join(CLIENTS_FOLDER, 'package-lock.json')))
    .digest('hex')
  while ((await readFile(installedMark(), 'utf8').catch(() => '')) !== lock) {
    if (!(await takeTurn())) {
      await sleep(200)
      continue
    }
    try {
      await npm(['ci', '--prefer-offline', '--loglevel=error'], CLIENTS_FOLDER)
      await writeFile(installedMark(), lock)
    } finally {
      await rm(turn(), { recursive: true, force: true })
    }
  }
}

const installedMark = () => join(CLIENTS_FOLDER, 'node_modules/.installed-lock')

/** A folder that the installing process holds, with its process id. */
const turn = () => join(CLIENTS_FOLDER, '.installing')

/** False if another process installs. The turn of a process that has ended is taken over. */
async function takeTurn(): Promise<boolean> {
  try {
    await mkdir(turn())
    await writeFile(join(turn(), 'pid'), String(process.pid))
    return true
  } catch {
    const pid = Number(await readFile(join(turn(), 'pid'), 'utf8').catch(() => '0'))
    if (pid > 0 && !isRunning(pid)) await rm(turn(), { recursive: true, force: true })
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
