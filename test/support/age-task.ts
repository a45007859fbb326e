import { eq, sql } from 'drizzle-orm'
import type { Database } from '../../src/db/connection/database.ts'

/** Makes a task and everything that belongs to it `ms` older, as if that time had passed. */
export async function ageTask(db: Database, taskId: string, ms: number): Promise<void> {
  await db.tx(async (q) => {
    const { tasks, attempts, events, callbacks, webhookDeliveries } = q.tables
    await q.sql
      .update(tasks)
      .set({ finishedAt: minus(ms, tasks.finishedAt) })
      .where(eq(tasks.id, taskId))
    await q.sql
      .update(attempts)
      .set({ finishedAt: minus(ms, attempts.finishedAt) })
      .where(eq(attempts.taskId, taskId))
    await q.sql
      .update(events)
      .set({ at: minus(ms, events.at) })
      .where(eq(events.taskId, taskId))
    await q.sql
      .update(callbacks)
      .set({ receivedAt: minus(ms, callbacks.receivedAt) })
      .where(
        sql`${callbacks.attemptId} in (select ${attempts.id} from ${attempts} where ${attempts.taskId} = ${taskId})`,
      )
    await q.sql
      .update(webhookDeliveries)
      .set({
        createdAt: minus(ms, webhookDeliveries.createdAt),
        finishedAt: minus(ms, webhookDeliveries.finishedAt),
      })
      .where(eq(webhookDeliveries.taskId, taskId))
  })
}

function minus(ms: number, column: unknown) {
  return sql`${column} - ${ms}` as never
}
