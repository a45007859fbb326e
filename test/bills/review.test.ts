// Bulk decisions and the review list, over GraphQL and the command line.
import { describe, expect, it, onTestFinished } from 'vitest'
import { darkroom } from '../cli/darkroom.ts'
import { startBasicUpstream } from '../providers/upstreams/basic.ts'
import { DATABASES, type DatabaseKind } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

const SCENARIOS = { ok: 'ok', broken: 'empty-data', lost: 'reset-after-request' } as const

/** A gateway with one upstream; `fail` ends a task as told, and returns the id of its attempt. */
async function open(database: DatabaseKind) {
  const upstream = await startBasicUpstream({ apiKey: 'basic-key' })
  onTestFinished(() => upstream.close())
  const models = [{ name: 'gpt-image-2', price: { imageMicros: 45_000 } }]
  const entry = { name: 'basic', dialect: 'basic', baseUrl: upstream.url, apiKey: 'basic-key', models }
  const server = await openGateway({ database, providers: [entry] })
  async function fail(scenario: keyof typeof SCENARIOS): Promise<string> {
    upstream.script(SCENARIOS[scenario])
    const id = await server.generate({ prompt: 'a fox', size: '1024x1024' })
    await server.ended(id)
    const { task } = await server.get<{ task: { attempts: { id: string }[] } }>(
      'query ($id: ID!) { task(id: $id) { attempts { id } } }',
      { id },
    )
    return task.attempts[0]!.id
  }
  return { server, fail }
}

const RESOLVE = `mutation ($ids: [ID!], $filter: ReviewFilter, $reasons: [ReviewReason!], $resolution: AttemptResolution!) {
  resolveAttempts(input: { ids: $ids, filter: $filter, reasons: $reasons, resolution: $resolution, note: "contract" }) {
    resolved remaining problems { attemptId code }
  }
}`

describe.each(DATABASES)('the review list, on %s', (database) => {
  it('is counted and filtered by provider, reason, cause, age and amount', async () => {
    const { server, fail } = await open(database)
    await using _ = server
    const lost = await fail('lost')
    const broken = await fail('broken')
    const { reviewCounts } = await server.get<{ reviewCounts: Record<string, unknown>[] }>(
      '{ reviewCounts { provider reason attempts unpriced amountMicros oldestAt } }',
    )
    expect(reviewCounts).toMatchObject([
      { provider: 'basic', reason: 'OUTCOME_UNKNOWN', attempts: 1, unpriced: 0 },
      { provider: 'basic', reason: 'COST_UNKNOWN', attempts: 1, unpriced: 0 },
    ])
    const held = Number(reviewCounts[0]!['amountMicros'])
    const list = async (reason: string, filter: object) => {
      const { page } = await server.get<{ page: { nodes: { id: string }[] } }>(
        'query ($reason: ReviewReason!, $filter: ReviewFilter) { page: attemptsNeedingReview(reason: $reason, filter: $filter) { nodes { id } } }',
        { reason, filter },
      )
      return page.nodes.map(({ id }) => id)
    }
    expect(await list('OUTCOME_UNKNOWN', {})).toEqual([lost])
    expect(await list('COST_UNKNOWN', { providers: ['basic'], errorCodes: ['PROVIDER_BROKEN'] })).toEqual([
      broken,
    ])
    expect(await list('COST_UNKNOWN', { providers: ['another'] })).toEqual([])
    expect(await list('COST_UNKNOWN', { errorCodes: ['MODERATION_BLOCKED'] })).toEqual([])
    expect(await list('OUTCOME_UNKNOWN', { minMicros: held, maxMicros: held })).toEqual([lost])
    expect(await list('OUTCOME_UNKNOWN', { minMicros: held + 1 })).toEqual([])
    expect(await list('OUTCOME_UNKNOWN', { latestAt: new Date(Date.now() - 60_000) })).toEqual([])
    expect(await list('COST_UNKNOWN', { latestAt: new Date(Date.now() + 60_000) })).toEqual([broken])
  })

  it('is settled in bulk, with a problem for each attempt that needs none', async () => {
    const { server, fail } = await open(database)
    await using _ = server
    const broken = [await fail('broken'), await fail('broken')]
    const lost = await fail('lost')
    const done = await fail('ok')
    const resolve = async (variables: object) =>
      (
        await server.get<{ resolveAttempts: object }>(RESOLVE, {
          resolution: 'CHARGED_RESULT_LOST',
          ...variables,
        })
      ).resolveAttempts
    expect(await resolve({ ids: [broken[0], done, 'att_none'] })).toEqual({
      resolved: 1,
      remaining: null,
      problems: [
        { attemptId: done, code: 'CONFLICT' },
        { attemptId: 'att_none', code: 'NOT_FOUND' },
      ],
    })
    expect(await resolve({ filter: {}, reasons: ['COST_UNKNOWN'], resolution: 'NOT_CHARGED' })).toEqual({
      resolved: 1,
      remaining: 0,
      problems: [],
    })
    expect(await resolve({ filter: { providers: ['basic'] } })).toMatchObject({ resolved: 1, remaining: 0 })
    const { nodes } = await server.get<{ nodes: Record<string, unknown>[] }>(
      `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Attempt { state charged costMicros heldMicros decisions { resolution note by } } } }`,
      { ids: [...broken, lost] },
    )
    const said = { note: 'contract', by: 'operator' }
    expect(nodes).toMatchObject([
      { state: 'FAILED', charged: 'YES', costMicros: nodes[0]!['heldMicros'], decisions: [said] },
      {
        state: 'FAILED',
        charged: 'NO',
        costMicros: null,
        decisions: [{ resolution: 'NOT_CHARGED', ...said }],
      },
      { state: 'FAILED', charged: 'YES', decisions: [{ resolution: 'CHARGED_RESULT_LOST', ...said }] },
    ])
  })

  it('takes many costs at once, and writes none twice', async () => {
    const { server, fail } = await open(database)
    await using _ = server
    const [one, other, lost] = [await fail('broken'), await fail('broken'), await fail('lost')]
    const adjust = (lines: object[]) =>
      server.execute<{ adjustCosts: object }>(
        'mutation ($lines: [CostLineInput!]!) { adjustCosts(input: { lines: $lines, note: "invoice" }) { adjusted unchanged problems { attemptId code } } }',
        { lines },
      )
    const lines = [one, other, lost].map((attemptId, nth) => ({ attemptId, costMicros: nth * 100 }))
    const problems = [{ attemptId: lost, code: 'CONFLICT' }]
    expect((await adjust(lines)).data?.adjustCosts).toEqual({ adjusted: 2, unchanged: 0, problems })
    expect((await adjust(lines)).data?.adjustCosts).toEqual({ adjusted: 0, unchanged: 2, problems })
    expect((await adjust([lines[0]!, lines[0]!])).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'lines' } },
    ])
  })

  it('refuses a bulk resolution without a selection, with two, and by remote id', async () => {
    const { server } = await open(database)
    await using _ = server
    for (const variables of [{}, { ids: [], filter: {} }, { filter: {}, resolution: 'ADOPT_REMOTE_ID' }]) {
      const { errors } = await server.execute(RESOLVE, { resolution: 'NOT_CHARGED', ...variables })
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
  })
})

describe('darkroom attempts', () => {
  it('counts, lists and settles attempts until none needs review', async () => {
    const { server, fail } = await open('sqlite')
    await using _ = server
    const [broken, lost] = [await fail('broken'), await fail('lost')]
    const run = (...args: string[]) =>
      darkroom(['attempts', ...args, '--url', server.url], { cwd: server.place.dataDir, env: {} })
    expect((await run()).stdout).toMatch(/default +basic +outcome_unknown +1 .*\n.*basic +cost_unknown +1 /)
    expect((await run('list', '--reason', 'cost_unknown')).stdout).toContain(broken)
    const resolved = await run('resolve', 'charged', '--provider', 'basic', '--note', 'invoice 7')
    expect(resolved).toMatchObject({ exitCode: 0, stdout: 'Resolved 2 attempts.\n' })
    expect((await run()).stdout).toBe('No attempts need review.\n')
    const wrong = await run('resolve', 'charged', lost, '--all', '--note', 'x')
    expect(wrong).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('Pass IDs, or options that select') as string,
    })
  })
})
