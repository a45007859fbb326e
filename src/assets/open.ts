import { join } from 'node:path'
import { systemClock, type Clock } from '../clock.ts'
import { openDirectoryStore } from './directory.ts'
import type { AssetStore } from './store.ts'

export interface AssetStorePlace {
  dataDir: string
  /** `s3://…`. null: the data folder. */
  assetsUrl: string | null
}

/** `random`: for the jitter of retries, none by default. Throws StorageError that says what is wrong with the folder or the bucket. */
export async function openAssetStore(
  { dataDir, assetsUrl }: AssetStorePlace,
  { clock = systemClock, random = () => 0.5 }: { clock?: Clock; random?: () => number } = {},
): Promise<AssetStore> {
  const dir = join(dataDir, 'assets')
  if (assetsUrl === null) return openDirectoryStore(dir, clock)
  const [{ openBucket }, { openS3Store }, { parseS3Url }] = await Promise.all([
    import('./s3/bucket.ts'),
    import('./s3/store.ts'),
    import('./s3/settings.ts'),
  ])
  return openS3Store(await openBucket(parseS3Url(assetsUrl), { clock, random }), {
    dir: join(dir, 'spool'),
    clock,
  })
}
