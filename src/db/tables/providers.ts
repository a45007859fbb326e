import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Kit } from './kit.ts'

export function createProviderTables(
  { table, text, reference, integer, bigint, json, index, primaryKey }: Kit,
  { attempts }: Record<'attempts', { id: AnyPgColumn }>,
) {
  /** Stored before the response; count only after a check confirmed them. */
  const callbacks = table(
    'callbacks',
    {
      attemptId: reference('attempt_id', () => attempts.id),
      /** Of the body: repeated callbacks are one row. */
      sha256: text('sha256').notNull(),
      body: text('body').notNull(),
      receivedAt: bigint('received_at').notNull(),
    },
    (t) => [primaryKey({ columns: [t.attemptId, t.sha256] })],
  )

  /** Of images that are not stored yet. Signed ones grant access to the image. */
  const resultAddresses = table(
    'result_addresses',
    {
      attemptId: reference('attempt_id', () => attempts.id),
      /** Of its image in the task. */
      position: integer('position').notNull(),
      url: text('url').notNull(),
      revisedPrompt: text('revised_prompt'),
      /** In the database's time. */
      receivedAt: bigint('received_at').notNull(),
      tries: integer('tries').notNull().default(0),
      /** Of the latest try; completes "the address …". */
      problem: text('problem'),
    },
    (t) => [primaryKey({ columns: [t.attemptId, t.position] })],
  )

  const cooldowns = table(
    'provider_cooldowns',
    {
      provider: text('provider').notNull(),
      /** '': all. */
      model: text('model').notNull(),
      /** In the database's time; null for a pause. */
      until: bigint('until'),
      reason: text('reason').notNull(),
      since: bigint('since').notNull(),
    },
    (t) => [primaryKey({ columns: [t.provider, t.model] })],
  )

  const audit = table(
    'audit_log',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      at: bigint('at').notNull(),
      action: text('action').notNull(),
      /** Project, key, attempt, task or image. */
      subject: text('subject').notNull(),
      detail: json('detail').$type<Record<string, string | null>>().notNull(),
    },
    (t) => [
      index('audit_log_newest').on(t.at, t.id),
      index('audit_log_of_project').on(t.projectId, t.at, t.id),
      index('audit_log_of_subject').on(t.subject, t.at, t.id),
    ],
  )

  return { callbacks, resultAddresses, cooldowns, audit }
}
