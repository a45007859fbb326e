import type { RenditionSpec } from '../assets/address.ts'
import type { AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/connection/database.ts'
import type { AssetRow } from '../db/tables/tables.ts'
import type { Access } from '../engine/access/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { Provider } from '../providers/provider.ts'
import type { Loaders } from './loaders.ts'

/** The context of a resolver. Each operation has its own. */
export interface Context {
  caller: Access
  /** The caller's project. */
  projectId: string
  db: Database
  engine: Engine
  store: AssetStore
  providers: readonly Provider[]
  clock: Clock
  /** The public URL of this server, without a trailing slash. */
  publicUrl: string
  /** The path of an image or a rendition, signed once API keys exist. Throws BAD_USER_INPUT for an impossible size. */
  assetPath: (asset: AssetRow, spec?: RenditionSpec) => string
  /** The caller's IP address behind trusted proxies; null for a request without a connection. */
  clientAddress: string | null
  /** The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header); null without one. */
  idempotencyKey: string | null
  loaders: Loaders
}
