// The check of the keys of open streams.
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { ACCESS_KEY } from '../../src/db/access/api-keys.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { operatorOf, type Access } from '../../src/engine/access/access.ts'
import { createKeyring } from '../../src/engine/access/keyring.ts'
import { openEngine } from '../support/engine.ts'
import { done, scripted } from '../support/scripted.ts'

it('a key whose first stream begins while others are checked is not lost', async () => {
  await using one = await openEngine({ providers: [scripted((sent) => done(sent))] })
  const operator = operatorOf(DEFAULT_PROJECT)
  const accesses: Access[] = []
  for (const name of ['first', 'second']) {
    const { apiKey } = await one.engine.createApiKey(operator, {
      name,
      scopes: ['READ'],
      expiresAt: null,
      limits: null,
    })
    accesses.push({ ...operator, apiKeyId: apiKey.id })
  }
  const lost: string[] = []
  let reads = 0
  const keyring = createKeyring(
    {
      ...one.deps,
      db: {
        ...one.deps.db,
        get read() {
          // The keys to read are chosen already.
          if (reads++ === 0) keyring.watch(accesses[1]!, () => lost.push('second'))
          return one.deps.db.read
        },
      },
    },
    { adminKey: 'dk_admin_0123456789abcdefghijklmnopqrstuv', allowAnonymous: false },
  )
  keyring.watch(accesses[0]!, () => lost.push('first'))
  const stop = new AbortController()
  const running = keyring.run(stop.signal)
  one.deps.wakeUps.wake(ACCESS_KEY)
  await expect.poll(() => reads).toBeGreaterThan(0)
  await pause(100)
  stop.abort()
  await running
  expect(lost).toEqual([])
})
