import { sql } from 'drizzle-orm'
import { CALL_STATES } from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'

/** Requests that wait for the result of a task, to tell whether it was delivered. */
export function createCallTables({ table, text, word, bigint, index, check }: Kit) {
  const calls = table(
    'rest_calls',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      /** The API key, else the address. */
      caller: text('caller').notNull(),
      fingerprint: text('fingerprint').notNull(),
      /** No reference: a task may be deleted before its calls. */
      taskId: text('task_id').notNull(),
      state: word('state', CALL_STATES).notNull(),
      /** Process that serves it. Empty: the caller was told that the outcome is unknown. */
      instance: text('instance').notNull(),
      openedAt: bigint('opened_at').notNull(),
      /** In the database's time. While it has a lease: when its process counts as dead. */
      closedAt: bigint('closed_at').notNull(),
    },
    (t) => [
      index('rest_calls_of_caller').on(t.projectId, t.caller, t.fingerprint, t.closedAt),
      index('rest_calls_open')
        .on(t.instance)
        .where(sql`${t.state} = 'OPEN'`),
      index('rest_calls_closed').on(t.closedAt),
      check('rest_calls_state', oneOf(t.state, CALL_STATES)),
    ],
  )

  return { calls }
}
