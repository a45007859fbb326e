import { timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import {
  ACCESS_KEY,
  findActiveKeys,
  findKeyByHandle,
  hasKeys,
  recordKeyUse,
} from '../../db/access/api-keys.ts'
import { DEFAULT_PROJECT, findProject } from '../../db/access/projects.ts'
import { GatewayError, notFound } from '../../errors.ts'
import { operatorOf, type Access } from './access.ts'
import type { Deps } from '../deps.ts'
import { hashOf, readKeyText } from './key-text.ts'

export interface Credential {
  /** Any text, not only of a key's format; null without. */
  key: string | null
  /** For operators; null: the default project. */
  project: string | null
}

export interface Keyring {
  /** Throws UNAUTHENTICATED, FORBIDDEN for another key's project, and NOT_FOUND. */
  authenticate: (credential: Credential) => Promise<Access>
  /** Only this machine can connect, there is no admin key, and no key was ever created. */
  isOpen: () => Promise<boolean>
  isOpenCached(): boolean
  /**
   * Calls `onLost` once, within seconds after `access` is revoked or expires. Returns a function that stops
   * it.
   */
  watch: (access: Access, onLost: () => void) => () => void
  run(signal: AbortSignal): Promise<void>
}

/** A wake-up clears it earlier. */
const CACHE_MS = 5_000
const CHECK_EVERY_MS = 2_500
/** Another process may create the first key. */
const OPEN_CACHE_MS = 1_000
const MINUTE_MS = 60_000

interface CachedKey {
  access: Access
  expiresAt: number | null
  lastUsedAt: number
}

export function createKeyring(
  { db, clock, wakeUps, log }: Pick<Deps, 'db' | 'clock' | 'wakeUps' | 'log'>,
  { adminKey, allowAnonymous }: { adminKey: string | null; allowAnonymous: boolean },
): Keyring {
  const adminHash = adminKey === null ? undefined : hashOf(adminKey)
  // By the whole key's hash: no part of a key matches.
  const keys = new LRUCache<string, CachedKey>({ max: 10_000, ttl: CACHE_MS })
  const operators = new LRUCache<string, Access>({ max: 1_000, ttl: CACHE_MS })
  const watchers = new Map<string, Set<() => void>>()
  const uses = new Map<string, number>()
  let open = allowAnonymous && adminHash === undefined
  let openCachedUntil = -Infinity

  async function isOpen(): Promise<boolean> {
    if (!open || clock.monotonic() < openCachedUntil) return open
    openCachedUntil = clock.monotonic() + OPEN_CACHE_MS
    // For good: keys are never deleted.
    if (await hasKeys(db.read)) open = false
    return open
  }

  async function authenticateOperator(project: string | null): Promise<Access> {
    const id = project ?? DEFAULT_PROJECT
    const cached = operators.get(id)
    if (cached) return cached
    const row = await findProject(db.read, id)
    if (!row) throw notFound('project', id)
    const access = operatorOf(id, row.limits)
    operators.set(id, access)
    return access
  }

  /** One error for unknown handles and wrong secrets. */
  async function readKey(text: string): Promise<CachedKey> {
    const parts = readKeyText(text)
    if (!parts)
      throw unauthenticated(
        'This is not an API key: a key begins with dk_live_ and ends with a checksum. Check for a typo.',
      )
    const found = await findKeyByHandle(db.read, parts.handle)
    const storedHash = found ? Buffer.from(found.key.secretSha256, 'hex') : NO_HASH
    if (!timingSafeEqual(hashOf(parts.secret), storedHash) || !found)
      throw unauthenticated('This API key is unknown.')
    const { key, projectLimits } = found
    const { id, projectId, scopes, expiresAt } = key
    if (key.revokedAt !== null) throw unauthenticated('This API key was revoked.')
    const limits = { project: projectLimits, key: key.limits }
    const access = { projectId, apiKeyId: id, scopes: new Set(scopes), operator: false, limits }
    return { access, expiresAt, lastUsedAt: key.lastUsedAt ?? 0 }
  }

  async function authenticateKey(text: string, hash: string): Promise<Access> {
    let found = keys.get(hash)
    if (!found) keys.set(hash, (found = await readKey(text)))
    if (found.expiresAt !== null && found.expiresAt <= clock.now())
      throw unauthenticated(`This API key expired at ${new Date(found.expiresAt).toISOString()}.`)
    const minute = clock.now() - (clock.now() % MINUTE_MS)
    if (found.lastUsedAt < minute) {
      found.lastUsedAt = minute
      uses.set(found.access.apiKeyId!, minute)
    }
    return found.access
  }

  async function writeUses(): Promise<void> {
    if (uses.size === 0) return
    const batch = new Map(uses)
    uses.clear()
    await db.tx((q) => recordKeyUse(q, batch))
  }

  async function notifyLost(): Promise<void> {
    if (watchers.size === 0) return
    // Of a key whose first stream begins meanwhile, nothing is read.
    const watched = [...watchers.keys()]
    const ids = watched.filter((id) => id !== OPEN)
    const active = await findActiveKeys(db.read, ids, clock.now())
    if (await isOpen()) active.add(OPEN)
    for (const id of watched) {
      if (active.has(id)) continue
      const callbacks = watchers.get(id) ?? []
      watchers.delete(id)
      for (const onLost of callbacks) onLost()
    }
  }

  return {
    isOpen,
    isOpenCached: () => open,

    async authenticate({ key, project }) {
      if (await isOpen()) return authenticateOperator(project)
      if (key === null)
        throw unauthenticated('An API key is needed, in the header "Authorization: Bearer <key>".')
      const hash = hashOf(key)
      if (adminHash && timingSafeEqual(hash, adminHash)) return authenticateOperator(project)
      const access = await authenticateKey(key, hash.toString('base64'))
      if (project === null || project === access.projectId) return access
      throw new GatewayError(
        'FORBIDDEN',
        `This API key is for ${access.projectId}; only the operator may act on another project.`,
      )
    },

    watch(access, onLost) {
      const id = access.apiKeyId ?? (adminHash === undefined ? OPEN : undefined)
      // Valid until the next start.
      if (id === undefined) return () => {}
      const callbacks = watchers.get(id) ?? new Set()
      watchers.set(id, callbacks.add(onLost))
      return () => {
        callbacks.delete(onLost)
        if (callbacks.size === 0 && watchers.get(id) === callbacks) watchers.delete(id)
      }
    },

    async run(signal) {
      const waiter = wakeUps.wait(ACCESS_KEY)
      try {
        while (!signal.aborted) {
          await waiter.next(CHECK_EVERY_MS, signal)
          keys.clear()
          operators.clear()
          openCachedUntil = -Infinity
          await Promise.all([writeUses(), notifyLost()]).catch((error: unknown) =>
            log.error({ err: error }, 'failed to load API keys; retrying'),
          )
        }
      } finally {
        waiter.close()
      }
    },
  }
}

/** Callers without a key. */
const OPEN = 'open'
const NO_HASH = Buffer.alloc(32)

function unauthenticated(message: string): GatewayError {
  return new GatewayError('UNAUTHENTICATED', message)
}
