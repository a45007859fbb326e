// A gateway with a paid upstream, and what both have on record.
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { openPaidServer, type PaidServer } from '../http/paid-server.ts'
import type { TestGatewayOptions } from '../support/gateway.ts'

export interface Records {
  /** Charged requests at the upstream. */
  pays: number
  tasks: number
  /** Tasks whose outcome is unknown. */
  unknown: number
  /** Calls by state. */
  calls: Record<string, number>
}

export interface RestServer extends PaidServer {
  url: string
  records(): Records
  /** What was added since the last call of it. */
  added(): Records
}

export async function openRestServer({
  rest,
  settings,
  ...options
}: TestGatewayOptions & { rest?: Record<string, unknown> } = {}): Promise<RestServer> {
  const paid = await openPaidServer({ ...options, settings: { ...settings, ...(rest && { rest }) } })
  const { server, upstream } = paid
  let before: Records = { pays: 0, tasks: 0, unknown: 0, calls: {} }
  const records = () => ({ pays: upstream.ledger.length, ...readRecords(server.place.dataDir) })
  return {
    ...paid,
    url: server.url,
    records,
    added() {
      const now = records()
      const calls = Object.entries(now.calls).flatMap(([state, count]): [string, number][] => {
        const more = count - (before.calls[state] ?? 0)
        return more === 0 ? [] : [[state, more]]
      })
      const added = {
        pays: now.pays - before.pays,
        tasks: now.tasks - before.tasks,
        unknown: now.unknown - before.unknown,
        calls: Object.fromEntries(calls),
      }
      before = now
      return added
    },
  }
}

export function readRecords(dataDir: string): Omit<Records, 'pays'> {
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'), { readonly: true })
  try {
    const { tasks, unknown } = db
      .prepare<[], { tasks: number; unknown: number }>(
        `select count(*) as tasks, count(*) filter (where status = 'OUTCOME_UNKNOWN') as unknown from tasks`,
      )
      .get()!
    const calls = db
      .prepare<[], { state: string; count: number }>(
        'select state, count(*) as count from rest_calls group by state',
      )
      .all()
    return { tasks, unknown, calls: Object.fromEntries(calls.map(({ state, count }) => [state, count])) }
  } finally {
    db.close()
  }
}

/** The calls of every request that has several tasks, in order. */
export function readRepeated(dataDir: string): unknown[] {
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'), { readonly: true })
  try {
    return db
      .prepare(
        `select c.*, t.status, t.created_at from rest_calls c left join tasks t on t.id = c.task_id where c.fingerprint in
          (select fingerprint from rest_calls group by fingerprint having count(distinct task_id) > 1)
          order by c.fingerprint, c.opened_at, c.id`,
      )
      .all()
  } finally {
    db.close()
  }
}

/** A request without an SDK. */
export function post(
  url: string,
  body: Record<string, unknown>,
  { path = '/v1/images/generations', headers = {}, signal }: PostOptions = {},
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer test', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
}

interface PostOptions {
  path?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface ImagesReply {
  created: number
  data: { b64_json?: string; url?: string; revised_prompt?: string }[]
  usage?: { input_tokens: number; output_tokens: number; total_tokens: number }
  warnings?: { code: string; field: string | null; message: string }[]
  size?: string
  output_format?: string
}
