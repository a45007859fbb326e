import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { listDeliveries } from '../../../src/db/webhooks/deliveries.ts'
import { DEFAULT_PROJECT } from '../../../src/db/access/projects.ts'
import { DATABASES, newPlace } from '../../support/database.ts'
import { openEngine } from '../../support/engine.ts'
import { ANY_ADDRESS, openReceiver } from '../../support/receiver.ts'
import { done, scripted } from '../../support/scripted.ts'

const CHILD = fileURLToPath(new URL('../../support/webhook-child.ts', import.meta.url))

describe.each(DATABASES)('a process killed between a delivery and its record on %s', (database) => {
  it('causes a second delivery by the next process, under the same webhook-id', async () => {
    const place = await newPlace(database)
    try {
      await using receiver = await openReceiver()
      const { databaseUrl, dataDir } = place
      const settings = JSON.stringify({ databaseUrl, dataDir, callbackUrl: `${receiver.url}/callback` })
      const child = spawn(process.execPath, [CHILD, settings], { stdio: ['ignore', 'inherit', 'inherit'] })
      const [, signal] = await once(child, 'exit')
      expect(signal).toBe('SIGKILL')
      expect(receiver.requests).toHaveLength(1)

      await using after = await openEngine({
        place,
        providers: [scripted((sent) => done(sent))],
        webhookRule: ANY_ADDRESS,
        tuning: { pollMs: 50 },
      })
      const [first, second] = await receiver.received(2, '/callback')
      expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
      expect(second!.body).toBe(first!.body)
      const state = async () =>
        (await listDeliveries(after.db.read, DEFAULT_PROJECT, {}, { limit: 10 })).map((one) => one.state)
      await expect.poll(state, { interval: 20 }).toEqual(['SUCCEEDED'])
      expect(receiver.requests).toHaveLength(2)
    } finally {
      await place.remove()
    }
  })
})
