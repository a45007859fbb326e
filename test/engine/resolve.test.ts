import { describe, expect, it } from 'vitest'
import { listAudit } from '../../src/db/access/audit.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { Resolution } from '../../src/engine/attempts/resolve.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, scripted } from '../support/scripted.ts'

const resolve = (one: TestEngine, id: string, resolution: Resolution, note: string | null = null) =>
  one.engine.resolveAttempt(DEFAULT_PROJECT, id, resolution, note)

describe.each(DATABASES)('an attempt with an unknown outcome, on %s', (database) => {
  it('is retried once after the resolution NOT_CHARGED', async () => {
    const provider = scripted((sent, nth) => (nth === 1 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const [attempt] = await one.attempts(id)
    const resolved = await resolve(one, attempt!.id, { is: 'NOT_CHARGED' }, 'not on the bill of November')
    expect(resolved).toMatchObject({ state: 'REJECTED', charged: 'NO' })
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1 })
    expect(provider.sent).toHaveLength(2)
    expect(await listAudit(one.db.read, attempt!.id)).toMatchObject([
      { action: 'resolveAttempt', detail: { is: 'NOT_CHARGED', note: 'not on the bill of November' } },
    ])
  })

  it('ends as FAILED and charged after the resolution CHARGED_RESULT_LOST', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted(() => Promise.reject(failure('lost')))],
    })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const [attempt] = await one.attempts(id)
    expect(await resolve(one, attempt!.id, { is: 'CHARGED_RESULT_LOST' })).toMatchObject({
      state: 'FAILED',
      charged: 'YES',
    })
    expect(await one.reached(id, 'FAILED')).toMatchObject({
      chargesOpen: 1,
      error: { charged: 'YES', retryable: false },
    })
  })

  it('plans no retry after NOT_CHARGED while an earlier attempt of its part is checked', async () => {
    const found = Promise.withResolvers<void>()
    const provider = scripted(() => Promise.reject(failure('lost')), {
      async check(_, order, call) {
        await found.promise
        return done({ order, call })
      },
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    const states = async () => (await one.attempts(id)).map(({ state }) => state)
    await expect.poll(states).toEqual(['UNKNOWN', 'UNKNOWN'])
    const [first, second] = await one.attempts(id)
    await resolve(one, first!.id, { is: 'ADOPT_REMOTE_ID', remoteId: 'job-7' })
    await resolve(one, second!.id, { is: 'NOT_CHARGED' })
    expect(await states()).toEqual(['ACCEPTED', 'REJECTED'])
    found.resolve()
    await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(2)
  })

  it('is checked by the remote id that an operator found', async () => {
    const provider = scripted(() => Promise.reject(failure('lost')), {
      check: (remoteId, order, call) => {
        expect(remoteId).toBe('job-7')
        return done({ order, call })
      },
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const [attempt] = await one.attempts(id)
    await resolve(one, attempt!.id, { is: 'ADOPT_REMOTE_ID', remoteId: 'job-7' })
    await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('accepts no remote id at a provider without checks, and no second resolution', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted(() => Promise.reject(failure('lost')))],
    })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    const [attempt] = await one.attempts(id)
    await expect(resolve(one, attempt!.id, { is: 'ADOPT_REMOTE_ID', remoteId: 'x' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'remoteId',
    })
    await resolve(one, attempt!.id, { is: 'CHARGED_RESULT_LOST' })
    await expect(resolve(one, attempt!.id, { is: 'NOT_CHARGED' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(resolve(one, 'att_nothing', { is: 'NOT_CHARGED' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
