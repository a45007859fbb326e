import { access, constants, mkdir } from 'node:fs/promises'
import { ConfigError } from './error.ts'

/** Throws ConfigError if not writable. */
export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true })
    await access(dataDir, constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError([
      `DATA_DIR is "${dataDir}"; it is not writable (${reason}). Choose another folder, or allow this user to write there.`,
    ])
  }
}
