import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Limits, Scope } from '../../domain.ts'
import type { Kit } from './kit.ts'

/** The tables of who may ask. */
export function createAccessTables(
  { table, text, bigint, json, index, uniqueIndex }: Kit,
  { projects }: Record<'projects', { id: AnyPgColumn }>,
) {
  /** A project's credentials. The secret itself is shown once and stored nowhere. */
  const apiKeys = table(
    'api_keys',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id')
        .notNull()
        .references(() => projects.id),
      /** What people call it. */
      name: text('name').notNull(),
      /** The part of the key that says which one it is, and is no secret. */
      handle: text('handle').notNull(),
      /** SHA-256 of the key's secret part: 256 random bits need no slow hash. */
      secretSha256: text('secret_sha256').notNull(),
      scopes: json('scopes').$type<Scope[]>().notNull(),
      /** Null for those of the project alone. */
      limits: json('limits').$type<Limits>(),
      createdAt: bigint('created_at').notNull(),
      /** Null for never. */
      expiresAt: bigint('expires_at'),
      revokedAt: bigint('revoked_at'),
      /** To the minute; null before its first use. */
      lastUsedAt: bigint('last_used_at'),
    },
    (t) => [
      uniqueIndex('api_keys_handle').on(t.handle),
      index('api_keys_of_project').on(t.projectId, t.createdAt, t.id),
    ],
  )

  /** What this deployment signs with: made when it is first needed, the same for all of its processes. */
  const secrets = table('secrets', {
    name: text('name').primaryKey(),
    value: text('value').notNull(),
  })

  return { apiKeys, secrets }
}
