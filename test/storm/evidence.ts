// What is known outside of the gateways: which requests were sent, which images arrived at which gateway, and which answers
// were on a disk when a process died.
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import type { Place } from '../support/database.ts'
import { createJournal, type Journal } from './journal.ts'

export interface Interval {
  from: number
  /** Infinity while it lasts. */
  to: number
}

export interface Evidence {
  journal: Journal
  /** When each attempt was sent to an upstream, in milliseconds of this process. */
  sentAt: Map<string, number>
  /** When each received answer was found on a disk whose process was dead, and which came back. */
  receivedAt: Map<string, number>
  /** When the only host with the received answer of an attempt was dead. */
  awayAt: Map<string, Interval[]>
  /** Attempts whose reply had another value in some field than the upstream sent. */
  altered: Set<string>
  sent(attempt: string): void
  /** The whole image of an attempt, or its address, was delivered to this process. */
  arrived(attempt: string, process: number): void
  /** After the death of a process: what was not recorded yet died with it, unless it is on disk. */
  died(process: number): Promise<void>
  /** These answers are on the disk of a host that is dead. Returns the function to call when it is back. */
  away(attempts: readonly string[]): () => void
  /** These answers were on a disk that does not come back. */
  lost(attempts: readonly string[]): void
  /** Attempts whose image must exist: it arrived at a process that lived long enough to record it. */
  required(): Set<string>
}

export function createEvidence(place: Place): Evidence {
  const arrivals = new Map<number, Set<string>>()
  const outlived = new Set<string>()
  const dead = new Set<number>()
  const evidence: Evidence = {
    journal: createJournal(),
    sentAt: new Map(),
    receivedAt: new Map(),
    awayAt: new Map(),
    altered: new Set(),
    sent: (attempt) => void evidence.sentAt.set(attempt, performance.now()),
    arrived(attempt, process) {
      // Written to the socket of a process that had not read it.
      if (dead.has(process)) return
      arrivals.set(process, (arrivals.get(process) ?? new Set()).add(attempt))
    },
    async died(process) {
      dead.add(process)
      const ids = [...(arrivals.get(process) ?? [])]
      arrivals.delete(process)
      const states = await readStates(place, ids)
      for (const id of ids) {
        const state = states.get(id) ?? ''
        evidence.journal.ofAttempt(id, `is ${state} after the death of process ${process}`)
        if (!MAY_DIE.has(state)) outlived.add(id)
      }
    },
    away(attempts) {
      const interval = { from: performance.now(), to: Infinity }
      for (const id of attempts) evidence.awayAt.set(id, [...(evidence.awayAt.get(id) ?? []), interval])
      return () => {
        interval.to = performance.now()
      }
    },
    lost(attempts) {
      for (const id of attempts) evidence.receivedAt.delete(id)
    },
    required: () => new Set([...outlived, ...[...arrivals.values()].flatMap((ids) => [...ids])]),
  }
  return evidence
}

/** States of an attempt whose result is not recorded. */
const MAY_DIE = new Set(['LEASED', 'SENDING', 'ACCEPTED', 'UNKNOWN'])

/** A slow machine must not be asked for more than it can do: the end of a storm would take as long as the storm. */
export async function countOpenTasks(place: Place): Promise<number> {
  const [row] = await readRows<{ count: number | string }>(
    place,
    "select count(*) as count from tasks where status in ('QUEUED', 'RUNNING')",
  )
  return Number(row?.count ?? 0)
}

async function readStates(place: Place, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const list = ids.map((id) => `'${id.replaceAll("'", '')}'`).join()
  const rows = await readRows<{ id: string; state: string }>(
    place,
    `select id, state from attempts where id in (${list})`,
  )
  return new Map(rows.map(({ id, state }) => [id, state]))
}

async function readRows<Row extends object>({ databaseUrl, dataDir }: Place, query: string): Promise<Row[]> {
  if (databaseUrl === null) {
    const db = new BetterSqlite3(join(dataDir, 'darkroom.db'), { readonly: true })
    try {
      return db.prepare<[], Row>(query).all()
    } finally {
      db.close()
    }
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<Row>(query)).rows
  } finally {
    await client.end()
  }
}

/**
 * Runs `work` while no outcome can be recorded: an answer that is received stays on disk. Does nothing else when a process
 * that is stopped holds the lock.
 */
export async function whileNothingSettles(place: Place, work: () => Promise<void>): Promise<void> {
  const release = await lock(place).catch(() => async () => {})
  try {
    await work()
  } finally {
    await release()
  }
}

async function lock({ databaseUrl, dataDir }: Place): Promise<() => Promise<void>> {
  if (databaseUrl === null) {
    const db = new BetterSqlite3(join(dataDir, 'darkroom.db'), { timeout: 100 })
    try {
      db.exec('begin immediate')
    } catch (error) {
      db.close()
      throw error
    }
    return async () => void db.close()
  }
  const client = new Client({ connectionString: databaseUrl })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query("set lock_timeout = '300ms'; begin")
    await client.query("select id from tasks where status in ('QUEUED', 'RUNNING') for update")
  } catch (error) {
    await client.end()
    throw error
  }
  return () => client.end()
}
