import { describe, expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

interface Stats {
  attempts: number
  p50Ms: number
  p95Ms: number
  lastError: { at: string } | null
}

const STATS = `query ($lastMinutes: Int) { providers { stats(lastMinutes: $lastMinutes) {
  attempts succeeded failedUncharged unknown p50Ms p95Ms lastError { at code message }
} } }`

describe.each(DATABASES)('the statistics of a provider on %s', (database) => {
  it('count its attempts by result, and have the times of successes and the latest error', async () => {
    const providers = ['one', 'idle'].map((name) => ({ name, dialect: 'sandbox', durationMs: 0 }))
    await using server = await openGateway({ database, providers })
    const start = Date.now()
    for (const scenario of ['duration=300', 'duration=0', 'vanish', 'duration=0', 'moderation']) {
      const prompt = `${scenario} [sandbox:${scenario}]`
      await server.ended(await server.generate({ prompt, size: '1024x1024', providers: ['one'] }))
    }
    const { providers: read } = await server.get<{ providers: { stats: Stats }[] }>(STATS)
    const [one, idle] = read.map(({ stats }) => stats)
    expect(one).toMatchObject({
      attempts: 5,
      succeeded: 3,
      failedUncharged: 1,
      unknown: 1,
      lastError: { code: 'MODERATION_BLOCKED', message: expect.any(String) },
    })
    expect(one!.p50Ms).toBeGreaterThanOrEqual(0)
    expect(one!.p95Ms).toBeGreaterThanOrEqual(300)
    expect(one!.p95Ms).toBeGreaterThanOrEqual(one!.p50Ms)
    expect(Date.parse(one!.lastError!.at)).toBeGreaterThanOrEqual(start)
    expect(idle).toEqual({
      attempts: 0,
      succeeded: 0,
      failedUncharged: 0,
      unknown: 0,
      p50Ms: null,
      p95Ms: null,
      lastError: null,
    })
  })

  it('are of the last minutes, 1 to 1440', async () => {
    await using server = await openGateway({ database })
    for (const [lastMinutes, message] of [
      [0, 'lastMinutes is 0; the minimum is 1.'],
      [1441, 'lastMinutes is 1441; the maximum is 1440.'],
    ]) {
      const { errors } = await server.execute(STATS, { lastMinutes })
      expect(errors?.[0]).toMatchObject({ message, extensions: { field: 'lastMinutes' } })
    }
  })
})
