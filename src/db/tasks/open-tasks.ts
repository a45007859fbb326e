import { sql, type SQL } from 'drizzle-orm'
import type { Caller } from '../../domain.ts'
import type { Queries } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

/** How many tasks are queued or running, of a project and of those asked for with a key; 0 where no key was used. */
export interface OpenTasks {
  ofProject: number
  ofKey: number
}

/** Both counted no further than `most`, which bounds what that costs. */
export async function countOpenTasks(q: Queries, by: Caller, most: number): Promise<OpenTasks> {
  const { projectId, apiKeyId } = by
  const [row] = await openTasks(q, { projectId, apiKeyId: apiKeyId ?? '', most })
  return { ofProject: Number(row?.ofProject ?? 0), ofKey: Number(row?.ofKey ?? 0) }
}

type Row = Record<keyof OpenTasks, number | string>

/** One row out of nothing, with both. */
const openTasks = statement<{ projectId: string; apiKeyId: string; most: number }, Row[]>(
  'open_tasks',
  (q) => {
    const { tasks } = q.tables
    return q.sql
      .select({ ofProject: sql<Row['ofProject']>`of_project`, ofKey: sql<Row['ofKey']>`of_key` })
      .from(
        sql`(select ${countUpTo(q, sql`${tasks.projectId} = ${sql.placeholder('projectId')}`)} as of_project, ${countUpTo(q, sql`${tasks.apiKeyId} = ${sql.placeholder('apiKeyId')}`)} as of_key) as counts`,
      )
  },
)

function countUpTo({ tables: { tasks } }: Queries, whose: SQL): SQL {
  // Spelled out: with the states as parameters, SQLite would not use the index that is only about them.
  const open = sql`${tasks.status} in ('QUEUED', 'RUNNING')`
  return sql`(select count(*) from (select 1 from ${tasks} where ${whose} and ${open} limit ${sql.placeholder('most')}) as counted)`
}
