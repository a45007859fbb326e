import { sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Limits, Scope } from '../../domain.ts'
import type { Kit } from './kit.ts'

export function createAccessTables(
  { table, text, reference, bigint, json, index, uniqueIndex }: Kit,
  { projects }: Record<'projects', { id: AnyPgColumn }>,
) {
  /** The secret itself is never stored. */
  const apiKeys = table(
    'api_keys',
    {
      id: text('id').primaryKey(),
      projectId: reference('project_id', () => projects.id),
      name: text('name').notNull(),
      /** The public part of the key. */
      handle: text('handle').notNull(),
      /** 256 random bits need no slow hash. */
      secretSha256: text('secret_sha256').notNull(),
      scopes: json('scopes').$type<Scope[]>().notNull(),
      /** Null: only the project's. */
      limits: json('limits').$type<Limits>(),
      createdAt: bigint('created_at').notNull(),
      /** Null: never. */
      expiresAt: bigint('expires_at'),
      revokedAt: bigint('revoked_at'),
      /** To the minute. */
      lastUsedAt: bigint('last_used_at'),
    },
    (t) => [
      uniqueIndex('api_keys_handle').on(t.handle),
      index('api_keys_of_project').on(t.projectId, t.createdAt, t.id),
      index('api_keys_not_revoked')
        .on(t.projectId, t.createdAt, t.id)
        .where(sql`${t.revokedAt} is null`),
    ],
  )

  const secrets = table('secrets', {
    name: text('name').primaryKey(),
    value: text('value').notNull(),
  })

  return { apiKeys, secrets }
}
