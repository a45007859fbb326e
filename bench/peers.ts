// Peers of the bench are installed separately, because only the bench uses them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const PEERS_FOLDER = join(import.meta.dirname, 'peers')

/** Why a package of the peers is not available, as a sentence; undefined if it is. */
export function peerMissing(name: string): string | undefined {
  if (existsSync(join(PEERS_FOLDER, 'node_modules', name))) return undefined
  return `${name} is not installed: npm ci --prefix bench/peers`
}
