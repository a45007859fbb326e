import { sql } from 'drizzle-orm'
import { expect, it, onTestFinished } from 'vitest'
import { claimDue } from '../../src/engine/worker/claim.ts'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { createLog } from '../../src/log.ts'
import { newPlace } from '../support/database.ts'
import { plainRequest } from '../support/rows.ts'

const COUNT = 10_000

it('gives each of 10,000 attempts to one of two processes that claim concurrently', async () => {
  const place = await newPlace('postgresql')
  onTestFinished(() => place.remove())
  const open = () => openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
  const db = await open()
  const databases = [db, await open()]
  const numbers = Array.from({ length: COUNT }, (_, i) => i)
  await db.tx(async (q) => {
    const common = { projectId: DEFAULT_PROJECT, model: 'gpt-image-2', createdAt: 1 }
    for (let at = 0; at < COUNT; at += 1000) {
      const some = numbers.slice(at, at + 1000)
      const task = {
        ...common,
        status: 'QUEUED' as const,
        operation: 'GENERATE' as const,
        request: plainRequest,
      }
      await q.sql
        .insert(q.tables.tasks)
        .values(
          some.map((i) => ({ ...task, id: `task_${i}`, fingerprint: 'none', maxCharges: 1, warnings: [] })),
        )
      const attempt = { ...common, number: 1, provider: 'one', state: 'PLANNED' as const, runAfter: sql`0` }
      await q.sql
        .insert(q.tables.attempts)
        .values(some.map((i) => ({ ...attempt, id: `att_${i}`, taskId: `task_${i}` })))
    }
  })
  const claimed: string[][] = []
  const claimers = Array.from({ length: 8 }, async (_, i) => {
    const own: string[] = []
    claimed.push(own)
    for (;;) {
      const claim = { provider: 'one', limit: 50, owner: `wrk_${i}`, leaseMs: 60_000, dataFolderId: 'fld_1' }
      const some = await databases[i % 2]!.tx((q) => claimDue(q, claim))
      // Rows that another claimer has locked are skipped.
      if (some.length === 0) return
      own.push(...some.map(({ id }) => id))
    }
  })
  await Promise.all(claimers)
  expect(claimed.flat()).toHaveLength(COUNT)
  expect(new Set(claimed.flat()).size).toBe(COUNT)
  expect(claimed.filter((own) => own.length > 0).length).toBeGreaterThan(1)
  await Promise.all(databases.map((one) => one.close()))
}, 60_000)
