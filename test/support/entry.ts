import { basename, join } from 'node:path'

/** The file to start for an entry in TypeScript: its bundle, or the entry itself outside `vitest`. */
export function entryOf(path: string): string {
  const bundles = process.env['TEST_BUNDLES']
  return bundles === undefined ? path : join(bundles, `${basename(path, '.ts')}.js`)
}
