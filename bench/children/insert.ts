// The reference of mutations: a prepared, durable insert of one row, with and without an HTTP server.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { z } from 'zod'
import { serve, clock, cpuMicros } from '../child.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkroom-bench-'))
const db = new BetterSqlite3(join(folder, 'bare.db'))
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('create table rows (id text primary key, body text not null)')
const statement = db.prepare('insert into rows (id, body) values (?, ?)')
let count = 0

const http = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const { variables } = BODY.parse(JSON.parse(Buffer.concat(parts).toString()))
    const id = insert(JSON.stringify(variables).padEnd(ROW_BYTES))
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: { id } }))
  })
})

const BODY = z.object({ variables: z.unknown() })

/** About the size of a task, which is mostly the request as JSON. */
const ROW_BYTES = 1000

const verbs = {
  async start(): Promise<string> {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  },
  cpuMicros,
  /** Inserts rows one by one, and returns the milliseconds of each. */
  insert(rows: number): Float64Array {
    const body = 'x'.repeat(ROW_BYTES)
    return Float64Array.from({ length: rows }, () => {
      const start = clock()
      insert(body)
      return clock() - start
    })
  },
}

export type InsertVerbs = typeof verbs

serve(verbs, async () => {
  db.close()
  rmSync(folder, { recursive: true })
})

function insert(body: string): string {
  const id = `row_${String(++count).padStart(26, '0')}`
  statement.run(id, body)
  return id
}
