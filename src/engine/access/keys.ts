import { randomBytes } from 'node:crypto'
import { ACCESS_KEY, findAnyKey, findKey, insertKey, countKeys, revokeKey } from '../../db/access/api-keys.ts'
import { findSecret, insertSecretIfAbsent } from '../../db/access/secrets.ts'
import { findProject } from '../../db/access/projects.ts'
import type { ApiKeyRow } from '../../db/tables/tables.ts'
import type { Limits, Scope } from '../../domain.ts'
import { badInput, conflict, notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { recordDecision, type Decider } from './access.ts'
import type { Deps } from '../deps.ts'
import { hashOf, newKeyText } from './key-text.ts'

export interface KeyInput {
  name: string
  scopes: readonly Scope[]
  /** Null: never. */
  expiresAt: number | null
  /** Null: the project's only. */
  limits: Limits | null
}

export const DEFAULT_SCOPES: readonly Scope[] = ['GENERATE', 'READ']

/** Per project, revoked ones excluded. */
export const MAX_KEYS = 200

const MAX_NAME_LENGTH = 100

type KeyDeps = Pick<Deps, 'clock' | 'db' | 'wakeUps'>

/** The text is not stored. Throws BAD_USER_INPUT, NOT_FOUND, and CONFLICT at MAX_KEYS. */
export async function createKey(
  { db, clock, wakeUps }: KeyDeps,
  by: Decider,
  projectId: string,
  input: KeyInput,
): Promise<{ key: string; apiKey: ApiKeyRow }> {
  const at = clock.now()
  const { name, expiresAt, limits } = input
  const scopes = [...new Set(input.scopes)]
  checkName('name', name)
  if (scopes.length === 0) throw badInput('scopes', 'scopes is empty. Name at least one scope.')
  if (expiresAt !== null && expiresAt <= at)
    throw badInput('expiresAt', 'expiresAt is in the past. Name a later time, or leave it out.')
  const { text, handle, secret } = newKeyText()
  const id = newId('key', at)
  const apiKey = await db.tx(async (q) => {
    if (!(await findProject(q, projectId))) throw notFound('project', projectId, 'project')
    if ((await countKeys(q, projectId, { includeRevoked: false })) >= MAX_KEYS)
      throw conflict(`The project has ${MAX_KEYS} keys, which is the maximum. Revoke one first.`)
    const secretSha256 = hashOf(secret).toString('hex')
    const row = { id, projectId, name, handle, secretSha256, scopes, expiresAt, limits, createdAt: at }
    const detail = { name, scopes: scopes.join(' ') }
    await recordDecision(q, by, { projectId, at, action: 'createApiKey', subject: id, detail })
    return insertKey(q, row)
  })
  // The database's wake-up arrives after the response.
  wakeUps.wake(ACCESS_KEY)
  return { key: text, apiKey }
}

/** Disconnects its callers within seconds. Idempotent. Throws NOT_FOUND. */
export async function revokeApiKey(
  { db, clock, wakeUps }: KeyDeps,
  by: Decider,
  id: string,
): Promise<ApiKeyRow> {
  const at = clock.now()
  const revoked = await db.tx(async (q) => {
    const found = by.projectId === null ? await findAnyKey(q, id) : await findKey(q, by.projectId, id)
    if (!found) throw notFound('key', id, 'id')
    if (found.revokedAt !== null) return found
    await revokeKey(q, id, at)
    const { projectId, name } = found
    await recordDecision(q, by, { projectId, at, action: 'revokeApiKey', subject: id, detail: { name } })
    return { ...found, revokedAt: at }
  })
  wakeUps.wake(ACCESS_KEY)
  return revoked
}

/** For signed asset URLs, the same in all processes. */
export async function ensureSigningSecret(db: Deps['db']): Promise<string> {
  const existing = await findSecret(db.read, 'asset-addresses')
  const secret = randomBytes(32).toString('base64url')
  return existing ?? db.tx((q) => insertSecretIfAbsent(q, 'asset-addresses', secret))
}

/** Throws BAD_USER_INPUT. */
export function checkName(field: string, name: string): void {
  const isPlain = name.trim() === name && name.isWellFormed() && !/\p{Cc}/u.test(name)
  if (name.length < 1 || name.length > MAX_NAME_LENGTH || !isPlain)
    throw badInput(
      field,
      `${field} must be 1 to ${MAX_NAME_LENGTH} characters, without control characters or surrounding space.`,
    )
}
