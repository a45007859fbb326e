// Who asks: from a key to what it may, at the cost of one read for many requests.
import { timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ACCESS_KEY, findActiveKeys, findKeyByHandle, hasKeys, recordKeyUse } from '../../db/access/api-keys.ts'
import { DEFAULT_PROJECT, findProject } from '../../db/access/projects.ts'
import type { ApiKeyRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import { operatorOf, type Access } from './access.ts'
import type { Deps } from '../deps.ts'
import { hashOf, readKeyText } from './key-text.ts'

/** What somebody shows who asks. */
export interface Credential {
  /** Null when none came; a text that is no key at all when something else did. */
  key: string | null
  /** The project that an operator wants to act on; null for the default one. */
  project: string | null
}

export interface Keyring {
  /** Who asks. Throws UNAUTHENTICATED, FORBIDDEN for a project that is not the key's, and NOT_FOUND for one that is not there. */
  authenticate: (shown: Credential) => Promise<Access>
  /** Whether no key is needed: none was ever made, there is no operator's either, and only this machine can connect. */
  isOpen: () => Promise<boolean>
  /** The same, as it was when somebody last looked. */
  wasOpen(): boolean
  /** Calls `lost` once, within seconds, when what was admitted no longer would be. Returns what stops that. */
  watch: (access: Access, lost: () => void) => () => void
  /** Looks after what is watched until `over` aborts, and notes when keys are used. */
  run(over: AbortSignal): Promise<void>
}

/** How long a key counts as good without another look, unless a wake-up ends that earlier. */
const REMEMBERED_MS = 5_000
/** How often those who stay connected are looked at, without a wake-up. */
const LOOK_EVERY_MS = 2_500
/** The same for a deployment without keys, of which any process may make the first one. */
const OPEN_FOR_MS = 1_000
const MINUTE_MS = 60_000

/** A key that was found good. */
interface Known {
  access: Access
  expiresAt: number | null
  lastUsedAt: number
  until: number
}

/** `allowAnonymous` says whether nobody but this machine can connect. */
export function createKeyring(
  { db, clock, wakeUps, log }: Pick<Deps, 'db' | 'clock' | 'wakeUps' | 'log'>,
  { adminKey, allowAnonymous }: { adminKey: string | null; allowAnonymous: boolean },
): Keyring {
  const admin = adminKey === null ? undefined : hashOf(adminKey)
  // By the hash of the whole key: whoever has only a part of it never learns from here that it is known.
  const known = new LRUCache<string, Known>({ max: 10_000 })
  const operators = new LRUCache<string, { access: Access; until: number }>({ max: 1_000 })
  const watched = new Map<string, Set<() => void>>()
  const used = new Map<string, number>()
  let open = allowAnonymous && admin === undefined
  let openUntil = 0

  async function isOpen(): Promise<boolean> {
    if (!open || clock.now() < openUntil) return open
    openUntil = clock.now() + OPEN_FOR_MS
    // Keys are never deleted: what has closed stays closed.
    if (await hasKeys(db.read)) open = false
    return open
  }

  async function asOperator(project: string | null): Promise<Access> {
    const id = project ?? DEFAULT_PROJECT
    const before = operators.get(id)
    if (before && clock.now() < before.until) return before.access
    const row = await findProject(db.read, id)
    if (!row)
      throw new GatewayError('NOT_FOUND', `There is no project ${JSON.stringify(id.slice(0, 60))} to act on.`)
    const access = operatorOf(id, row.limits)
    operators.set(id, { access, until: clock.now() + REMEMBERED_MS })
    return access
  }

  /** The key as it is in the database. What differs between an unknown handle and a wrong secret is not told. */
  async function look(text: string): Promise<Known> {
    const parts = readKeyText(text)
    if (!parts)
      throw refused(
        'This is not an API key: those begin with dk_live_, and their last characters reveal typos.',
      )
    const found = await findKeyByHandle(db.read, parts.handle)
    const kept = found ? Buffer.from(found.key.secretSha256, 'hex') : NO_HASH
    if (!timingSafeEqual(hashOf(parts.secret), kept) || !found)
      throw refused('This API key is not known here.')
    const { key, projectLimits } = found
    if (key.revokedAt !== null) throw refused('This API key was revoked.')
    const limits = { project: projectLimits, key: key.limits }
    return {
      access: accessOf(key, limits),
      expiresAt: key.expiresAt,
      lastUsedAt: key.lastUsedAt ?? 0,
      until: clock.now() + REMEMBERED_MS,
    }
  }

  async function asKey(text: string, hash: string): Promise<Access> {
    let found = known.get(hash)
    if (!found || clock.now() >= found.until) known.set(hash, (found = await look(text)))
    if (found.expiresAt !== null && found.expiresAt <= clock.now())
      throw refused(`This API key expired at ${new Date(found.expiresAt).toISOString()}.`)
    const minute = clock.now() - (clock.now() % MINUTE_MS)
    if (found.lastUsedAt < minute) {
      found.lastUsedAt = minute
      used.set(found.access.apiKeyId!, minute)
    }
    return found.access
  }

  async function writeUses(): Promise<void> {
    if (used.size === 0) return
    const uses = new Map(used)
    used.clear()
    await db.tx((q) => recordKeyUse(q, uses))
  }

  async function dismiss(): Promise<void> {
    if (watched.size === 0) return
    const ids = [...watched.keys()].filter((id) => id !== OPEN)
    const good = await findActiveKeys(db.read, ids, clock.now())
    if (await isOpen()) good.add(OPEN)
    for (const [id, losers] of watched) {
      if (good.has(id)) continue
      watched.delete(id)
      for (const lost of losers) lost()
    }
  }

  return {
    isOpen,
    wasOpen: () => open,

    async authenticate({ key, project }) {
      if (await isOpen()) return asOperator(project)
      if (key === null) throw refused('An API key is needed, in the header "Authorization: Bearer <key>".')
      const hash = hashOf(key)
      if (admin && timingSafeEqual(hash, admin)) return asOperator(project)
      const access = await asKey(key, hash.toString('base64'))
      if (project === null || project === access.projectId) return access
      throw new GatewayError(
        'FORBIDDEN',
        `This API key is for ${access.projectId}; only the operator may act on another project.`,
      )
    },

    watch(access, lost) {
      const id = access.apiKeyId ?? (admin === undefined ? OPEN : undefined)
      // Whoever has the operator's key keeps it until the next start.
      if (id === undefined) return () => {}
      const losers = watched.get(id) ?? new Set()
      watched.set(id, losers.add(lost))
      return () => {
        losers.delete(lost)
        if (losers.size === 0 && watched.get(id) === losers) watched.delete(id)
      }
    },

    async run(over) {
      const waiter = wakeUps.wait(ACCESS_KEY)
      try {
        while (!over.aborted) {
          await waiter.next(LOOK_EVERY_MS, over)
          known.clear()
          operators.clear()
          openUntil = 0
          await Promise.all([writeUses(), dismiss()]).catch((error: unknown) =>
            log.error({ err: error }, 'who may ask could not be looked up; trying again'),
          )
        }
      } finally {
        waiter.close()
      }
    },
  }
}

const OPEN = 'open'
const NO_HASH = Buffer.alloc(32)

function accessOf({ id, projectId, scopes }: ApiKeyRow, limits: Access['limits']): Access {
  return { projectId, apiKeyId: id, scopes: new Set(scopes), operator: false, limits }
}

function refused(message: string): GatewayError {
  return new GatewayError('UNAUTHENTICATED', message)
}
