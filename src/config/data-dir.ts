import { access, constants, mkdir } from 'node:fs/promises'
import { ConfigError } from './error.ts'

/** Makes the data folder where it is missing. Throws ConfigError where this user may not write. */
export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true })
    await access(dataDir, constants.W_OK)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError([
      `DATA_DIR is "${dataDir}", which cannot be written to (${why}). Choose another folder, or let this user write there.`,
    ])
  }
}
