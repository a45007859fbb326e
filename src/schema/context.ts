import type { RenditionSpec } from '../assets/address.ts'
import type { AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/connection/database.ts'
import type { AssetRow } from '../db/tables/tables.ts'
import type { Access } from '../engine/access/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { Provider } from '../providers/provider.ts'
import type { Loaders } from './loaders.ts'

/** What every resolver is handed: who asks, and what to ask. Made anew for each operation. */
export interface Context {
  /** Who asks. */
  caller: Access
  /** Whose tasks these are: the caller's. */
  projectId: string
  db: Database
  engine: Engine
  store: AssetStore
  providers: readonly Provider[]
  clock: Clock
  /** Where clients reach this server, without a slash at the end: asset URLs begin with it. */
  publicUrl: string
  /** The path of an image or a rendition of it, signed once keys are needed. Throws BAD_USER_INPUT for a size that cannot be. */
  assetPath: (asset: AssetRow, spec?: RenditionSpec) => string
  /** The caller's IP address, trusted proxies looked through; null when the request came over no connection. */
  clientAddress: string | null
  /** The request's Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header); null without one. */
  idempotencyKey: string | null
  loaders: Loaders
}
