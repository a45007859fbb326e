import type { AssetStore } from '../../assets/store.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/connection/database.ts'
import type { AssetRow } from '../../db/tables/tables.ts'
import type { Access } from '../../engine/access/access.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Logger } from '../../log.ts'
import type { Provider } from '../../providers/provider.ts'
import { hasLeft } from '../delivery.ts'
import type { Bodies } from '../security/bodies.ts'
import type { Client } from '../security/client.ts'

export interface RestSettings {
  attach: 'undelivered' | 'retries' | 'never'
  undeliveredMs: number
  waitMs: number
  cancelOnHangup: 'queued' | 'never'
  hangupGraceMs: number
  modelAliases: Readonly<Record<string, string>>
}

export interface RestDeps {
  settings: RestSettings
  engine: Engine
  db: Database
  store: Pick<AssetStore, 'open' | 'read'>
  providers: readonly Provider[]
  keyring: Pick<Keyring, 'authenticate' | 'watch'>
  bodies: Bodies
  corsOrigins: readonly string[]
  publicUrl: string | null
  /** Works without a key for an hour. */
  assetPath: (asset: AssetRow) => string
  clock: Clock
  log: Logger
}

export interface RestExchange {
  request: Request
  client: Client
  caller: Access
  /** Aborts when the client disconnects. */
  gone: AbortSignal
}

/** `AbortSignal.any` refuses the signal of a node:http request. */
export function goneSignalOf(request: Request): AbortSignal {
  const { signal } = request
  const gone = new AbortController()
  if (signal.aborted || hasLeft(request)) gone.abort()
  else signal.addEventListener('abort', () => gone.abort())
  return gone.signal
}

export function urlOf({ publicUrl, assetPath }: RestDeps, { client }: RestExchange) {
  return (asset: AssetRow) => (publicUrl ?? client.origin) + assetPath(asset)
}
