import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Kit } from './kit.ts'

/** The tables of what providers told us, how they are, and what people decided about what they did. */
export function createProviderTables(
  { table, text, bigint, json, index, primaryKey }: Kit,
  { attempts }: Record<'attempts', { id: AnyPgColumn }>,
) {
  /** What upstreams told us unasked, kept before it is answered: what is in it counts only once a check confirmed it. */
  const callbacks = table(
    'callbacks',
    {
      attemptId: text('attempt_id')
        .notNull()
        .references(() => attempts.id),
      /** Of the body: the same callback twice is one row. */
      sha256: text('sha256').notNull(),
      body: text('body').notNull(),
      receivedAt: bigint('received_at').notNull(),
    },
    (t) => [primaryKey({ columns: [t.attemptId, t.sha256] })],
  )

  /** Providers that are given no work for a while, agreed on by all processes. */
  const cooldowns = table(
    'provider_cooldowns',
    {
      provider: text('provider').notNull(),
      /** '' for all its models. */
      model: text('model').notNull(),
      /** In the database's time; null until an operator resumes it. Once it is over, one attempt at a time probes. */
      until: bigint('until'),
      /** For operators, in a sentence. */
      reason: text('reason').notNull(),
      since: bigint('since').notNull(),
    },
    (t) => [primaryKey({ columns: [t.provider, t.model] })],
  )

  /** What people decided, for good. */
  const audit = table(
    'audit_log',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      at: bigint('at').notNull(),
      action: text('action').notNull(),
      /** The id of what it was about. */
      subject: text('subject').notNull(),
      detail: json('detail').$type<Record<string, string | null>>().notNull(),
    },
    (t) => [index('audit_log_subject').on(t.subject, t.at)],
  )

  return { callbacks, cooldowns, audit }
}
