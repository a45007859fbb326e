// Who may ask: keys of projects, made and ended on record.
import { randomBytes } from 'node:crypto'
import { ACCESS_KEY, findAnyKey, findKey, insertKey, listKeys, revokeKey } from '../../db/access/api-keys.ts'
import { findProject } from '../../db/access/projects.ts'
import type { ApiKeyRow } from '../../db/tables/tables.ts'
import type { Limits, Scope } from '../../domain.ts'
import { badInput, GatewayError, notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Decider } from './access.ts'
import type { Deps } from '../deps.ts'
import { recordDecision } from './audit.ts'
import { hashOf, newKeyText } from './key-text.ts'

/** A key as it is asked for, nothing checked yet. */
export interface KeyInput {
  name: string
  scopes: readonly Scope[]
  /** Null for never. */
  expiresAt: number | null
  /** Null for those of the project alone. */
  limits: Limits | null
}

/** What a key may do when nothing else is said. */
export const DEFAULT_SCOPES: readonly Scope[] = ['GENERATE', 'READ']

/** How many good keys a project may have. */
export const MAX_KEYS = 200

const MAX_NAME_LENGTH = 100

type KeyDeps = Pick<Deps, 'clock' | 'db' | 'wakeUps'>

/** Makes a key of a project. The text is shown this once. Throws BAD_USER_INPUT, NOT_FOUND, and CONFLICT for too many. */
export async function createKey(
  { db, clock, wakeUps }: KeyDeps,
  by: Decider,
  projectId: string,
  input: KeyInput,
): Promise<{ key: string; apiKey: ApiKeyRow }> {
  const at = clock.now()
  const scopes = [...new Set(input.scopes)]
  checkName('name', input.name)
  if (scopes.length === 0)
    throw badInput('scopes', 'A key without a scope may do nothing. Name at least one.')
  if (input.expiresAt !== null && input.expiresAt <= at)
    throw badInput('expiresAt', 'It would have expired already. Name a moment to come, or leave it out.')
  const { text, handle, secret } = newKeyText()
  const id = newId('key', at)
  const { name, expiresAt, limits } = input
  const apiKey = await db.tx(async (q) => {
    if (!(await findProject(q, projectId))) throw notFound('project', projectId, 'project')
    if ((await listKeys(q, projectId, { includeRevoked: false })).length >= MAX_KEYS)
      throw new GatewayError('CONFLICT', `There are ${MAX_KEYS} keys, which is the most. Revoke one first.`)
    const secretSha256 = hashOf(secret).toString('hex')
    const row = { id, projectId, name, handle, secretSha256, scopes, expiresAt, limits, createdAt: at }
    const detail = { name, scopes: scopes.join(' ') }
    await recordDecision(q, by, { projectId, at, action: 'createApiKey', subject: id, detail })
    return insertKey(q, row)
  })
  // The same wake-up arrives through the database, a moment after the response.
  wakeUps.wake(ACCESS_KEY)
  return { key: text, apiKey }
}

/** Ends a key: who used it is disconnected within seconds. Twice is once. Throws NOT_FOUND. */
export async function endKey({ db, clock, wakeUps }: KeyDeps, by: Decider, id: string): Promise<ApiKeyRow> {
  const at = clock.now()
  const ended = await db.tx(async (q) => {
    const found = by.projectId === null ? await findAnyKey(q, id) : await findKey(q, by.projectId, id)
    if (!found) throw notFound('key', id, 'id')
    if (found.revokedAt !== null) return found
    await revokeKey(q, id, at)
    const { projectId, name } = found
    await recordDecision(q, by, { projectId, at, action: 'revokeApiKey', subject: id, detail: { name } })
    return { ...found, revokedAt: at }
  })
  wakeUps.wake(ACCESS_KEY)
  return ended
}

/** What this deployment signs addresses with: 256 random bits. */
export function newSigningSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Throws BAD_USER_INPUT for what cannot be the name of a key or a project. */
export function checkName(field: string, name: string): void {
  const isPlain = name.trim() === name && name.isWellFormed() && !/\p{Cc}/u.test(name)
  if (name.length < 1 || name.length > MAX_NAME_LENGTH || !isPlain)
    throw badInput(field, `A name is 1 to ${MAX_NAME_LENGTH} characters, with no space at either end.`)
}
