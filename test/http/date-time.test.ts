import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const TASKS = 'query ($from: DateTime) { tasks(filter: { createdFrom: $from }) { totalCount } }'

describe('a DateTime', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await openGateway()
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  it.each([
    ['2026-02-30T00:00:00Z', 'a day that does not exist'],
    ['2026-13-01T00:00:00Z', 'a month that does not exist'],
    ['2026-02-20T25:00:00Z', 'an hour that does not exist'],
    ['2026-02-20', 'no time'],
    ['2026-02-20T08:00:00', 'no zone'],
    ['2026-02-20 08:00:00Z', 'a space'],
    ['yesterday', 'no date'],
  ])('%s is refused: %s', async (from) => {
    const { errors } = await gateway.execute(TASKS, { from })
    expect(errors?.[0]?.message).toContain('Write an existing date, a time and a zone')
    expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT')
  })

  it.each(['2026-02-20T08:00:00Z', '2026-02-20t09:00:00.123456789+01:00', '2024-02-29T00:00:00-08:00'])(
    '%s is accepted',
    async (from) => {
      expect(await gateway.get(TASKS, { from })).toEqual({ tasks: { totalCount: 0 } })
    },
  )
})
