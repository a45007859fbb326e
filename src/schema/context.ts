import DataLoader from 'dataloader'
import type { RenditionSpec } from '../assets/address.ts'
import type { AssetStore } from '../assets/store.ts'
import type { Clock } from '../clock.ts'
import { listAddresses } from '../db/attempts/addresses.ts'
import { listAttempts } from '../db/attempts/attempts.ts'
import type { Database, Queries } from '../db/connection/database.ts'
import { listLines } from '../db/money/ledger.ts'
import type { AssetRow } from '../db/tables/tables.ts'
import { listAssets } from '../db/tasks/assets.ts'
import { listPlaces } from '../db/tasks/deleted-images.ts'
import { listDeliveriesOfTasks, listTries } from '../db/webhooks/deliveries.ts'
import type { Access } from '../engine/access/access.ts'
import type { Engine } from '../engine/engine.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { Provider } from '../providers/provider.ts'

/** One per operation. */
export interface Context {
  caller: Access
  projectId: string
  db: Database
  engine: Engine
  store: AssetStore
  providers: readonly Provider[]
  clock: Clock
  server: { version: string; database: string; isOpen: () => Promise<boolean> }
  /** Without a trailing slash. */
  publicUrl: string
  /** Signed once API keys exist. Throws BAD_USER_INPUT for an impossible size. */
  assetPath: (asset: AssetRow, spec?: RenditionSpec) => string
  /** IP address behind trusted proxies; null without a connection. */
  clientAddress: string | null
  /** Header (draft-ietf-httpapi-idempotency-key-header); null without one. */
  idempotencyKey: string | null
  loaders: Loaders
}

/** All that a field may read of its caller where subscribers share a result. Equal for all of them. */
export function rightsOf({ caller, publicUrl }: Context): unknown[] {
  const { projectId, scopes, operator } = caller
  return [projectId, [...scopes].toSorted(), operator, publicUrl]
}

/** For a shared execution: reading anything else of the caller is an error of the schema. */
export function toSharedContext(context: Context): Context {
  const { caller, projectId, db, engine, store, providers, clock, server, publicUrl, assetPath, loaders } =
    context
  const { scopes, operator } = caller
  return {
    caller: {
      projectId,
      scopes,
      operator,
      get apiKeyId() {
        return refuse('caller.apiKeyId')
      },
      get limits() {
        return refuse('caller.limits')
      },
    },
    projectId,
    db,
    engine,
    store,
    providers,
    clock,
    server,
    publicUrl,
    assetPath,
    loaders,
    get clientAddress() {
      return refuse('clientAddress')
    },
    get idempotencyKey() {
      return refuse('idempotencyKey')
    },
  }
}

function refuse(property: string): never {
  throw new Error(`The field reads ${property} and lacks the mark perViewer of per-viewer.ts.`)
}

/** Rows by the id of their parent. */
export interface RowLoader<Row> {
  load(id: string): MaybePromise<Row[]>
}

type BatchedLoaders = ReturnType<typeof createLoaders>

export type Loaders = {
  [Name in keyof BatchedLoaders]: RowLoader<Awaited<ReturnType<BatchedLoaders[Name]['load']>>[number]>
}

/** Batched reads by the id of the parent. */
export function createLoaders(db: Database) {
  function loader<Row>(
    list: (q: Queries, ids: readonly string[]) => Promise<Row[]>,
    parentOf: (row: Row) => string,
  ): DataLoader<string, Row[]> {
    const load = async (ids: readonly string[]) => {
      // Groups ask for the rows of an event together.
      const byParent = Map.groupBy(await list(db.read, [...new Set(ids)]), parentOf)
      return ids.map((id) => byParent.get(id) ?? [])
    }
    // No cache: rows change while a subscription's context lives.
    return new DataLoader(load, { cache: false, maxBatchSize: 200 })
  }

  return {
    attempts: loader(listAttempts, ({ taskId }) => taskId),
    assets: loader(listAssets, ({ taskId }) => taskId),
    places: loader(listPlaces, ({ attemptId }) => attemptId),
    deliveries: loader(listDeliveriesOfTasks, ({ taskId }) => taskId ?? ''),
    tries: loader(listTries, ({ deliveryId }) => deliveryId),
    lines: loader(listLines, ({ attemptId }) => attemptId),
    addresses: loader(listAddresses, ({ attemptId }) => attemptId),
  }
}
