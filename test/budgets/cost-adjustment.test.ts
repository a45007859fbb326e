import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { DATABASES } from '../support/database.ts'
import { runOn } from '../support/postgresql-databases.ts'
import { openPricedUpstream } from './priced-upstream.ts'

interface Attempt {
  id: string
  state: string
  charged: string
  costMicros: number | null
  heldMicros: number | null
  ledger: { kind: string; amountMicros: number | null }[]
  decisions: { costMicros: number | null; note: string | null }[]
}

interface Review {
  attemptsNeedingReview: {
    nodes: { id: string }[]
    pageInfo: { hasNextPage: boolean; endCursor: string | null }
  }
}

const ATTEMPT_FIELDS =
  'id state charged costMicros heldMicros ledger { kind amountMicros } decisions { costMicros note }'
const ADJUST = `mutation ($attemptId: ID!, $costMicros: BigInt!, $note: String!) {
  adjustCost(input: { attemptId: $attemptId, costMicros: $costMicros, note: $note }) { attempt { ${ATTEMPT_FIELDS} } }
}`
const REVIEW = `query ($reason: ReviewReason!, $after: String) {
  attemptsNeedingReview(reason: $reason, first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}`

const sandbox = { name: 'sandbox', dialect: 'sandbox', durationMs: 0 }

/** Generates an image with the operator's key, and returns the attempt after the task ended. */
async function generateAttempt(
  keyed: GatewayWithKeys,
  prompt: string,
  provider = 'sandbox',
): Promise<Attempt> {
  const operator = keyed.operator()
  const id = await operator.generate({ prompt, size: '1024x1024', providers: [provider] })
  await operator.ended(id)
  const { task } = await operator.get<{ task: { attempts: Attempt[] } }>(
    `query ($id: ID!) { task(id: $id) { attempts { ${ATTEMPT_FIELDS} } } }`,
    { id },
  )
  return task.attempts[0]!
}

async function adjust(keyed: GatewayWithKeys, attemptId: string, costMicros: number): Promise<Attempt> {
  const { adjustCost } = await keyed.operator().get<{ adjustCost: { attempt: Attempt } }>(ADJUST, {
    attemptId,
    costMicros,
    note: 'invoice of May, line 3',
  })
  return adjustCost.attempt
}

/** Leaves less than the cost of an image until the sums of the ledger are not exact any more. */
async function fillLedger({ server: { place } }: GatewayWithKeys): Promise<void> {
  const update = `update spending set spent_micros = ${Number.MAX_SAFE_INTEGER - 1_000}`
  if (place.databaseUrl !== null) return runOn(place.databaseUrl, update)
  const file = new BetterSqlite3(join(place.dataDir, 'darkroom.db'))
  file.exec(update)
  file.close()
}

async function totals(keyed: GatewayWithKeys): Promise<[number, number]> {
  const { project } = await keyed
    .operator()
    .get<{ project: { budgets: { heldMicros: number; spentMicros: number }[] } }>(
      '{ project { budgets { heldMicros spentMicros } } }',
    )
  const { heldMicros, spentMicros } = project.budgets.at(-1)!
  return [heldMicros, spentMicros]
}

describe.each(DATABASES)('adjustCost on %s', (database) => {
  it('refuses an absurd amount before anything is written, and the next task works', async () => {
    await using keyed = await openGatewayWithKeys({ database, providers: [sandbox] })
    const { id, ledger } = await generateAttempt(keyed, 'a fox')
    const operator = keyed.operator()
    for (const costMicros of [Number.MAX_SAFE_INTEGER, 1_000_000_000_001]) {
      const { errors } = await operator.execute(ADJUST, {
        attemptId: id,
        costMicros,
        note: 'a slip of a key',
      })
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'costMicros' } }])
    }
    const { attempt } = await operator.get<{ attempt: Attempt }>(
      `query ($id: ID!) { attempt: node(id: $id) { ... on Attempt { ${ATTEMPT_FIELDS} } } }`,
      { id },
    )
    expect(attempt).toMatchObject({ ledger, decisions: [] })
    expect(await generateAttempt(keyed, 'a second fox')).toMatchObject({ state: 'SUCCEEDED' })
  })

  it('refuses an amount whose sum cannot be kept, and a task that cannot be held, before anything is written', async () => {
    await using keyed = await openGatewayWithKeys({ database, providers: [sandbox] })
    const { id, ledger } = await generateAttempt(keyed, 'a fox')
    const operator = keyed.operator()
    await fillLedger(keyed)
    const before = await totals(keyed)
    const adjusted = await operator.execute(ADJUST, {
      attemptId: id,
      costMicros: 1_000_000_000_000,
      note: 'invoice of May, line 3',
    })
    expect(adjusted.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }])
    const task = 'mutation { generateImage(input: { prompt: "a fox", size: "1024x1024" }) { task { id } } }'
    expect((await operator.execute(task)).errors).toMatchObject([{ extensions: { code: 'BUDGET_EXCEEDED' } }])
    expect(await totals(keyed)).toEqual(before)
    const { attempt } = await operator.get<{ attempt: Attempt }>(
      `query ($id: ID!) { attempt: node(id: $id) { ... on Attempt { ${ATTEMPT_FIELDS} } } }`,
      { id },
    )
    expect(attempt).toMatchObject({ ledger, decisions: [] })
  })

  it('corrects a known cost with a separate ledger line', async () => {
    await using keyed = await openGatewayWithKeys({ database, providers: [sandbox] })
    const { id, costMicros, heldMicros, ledger } = await generateAttempt(keyed, 'a fox')
    expect(ledger).toEqual([
      { kind: 'HOLD', amountMicros: heldMicros },
      { kind: 'POST', amountMicros: costMicros },
    ])
    const more = await adjust(keyed, id, costMicros! + 500)
    expect(more.ledger.at(-1)).toEqual({ kind: 'ADJUST', amountMicros: 500 })
    expect(more).toMatchObject({ costMicros: costMicros! + 500, charged: 'YES', state: 'SUCCEEDED' })
    const less = await adjust(keyed, id, 7)
    expect(less.ledger.at(-1)).toEqual({ kind: 'ADJUST', amountMicros: 7 - costMicros! - 500 })
    expect(await totals(keyed)).toEqual([0, 7])
    // An unchanged cost adds no ledger line.
    expect((await adjust(keyed, id, 7)).ledger).toHaveLength(4)
    expect(less.decisions).toEqual([
      { costMicros: 7, note: 'invoice of May, line 3' },
      { costMicros: costMicros! + 500, note: 'invoice of May, line 3' },
    ])
  })

  it('posts an unknown cost, and removes the attempt from the list of attempts needing review', async () => {
    // This upstream reports no usage, so a price per token gives no cost.
    const upstream = await openPricedUpstream({ inputTextMicros: 5_000_000, outputImageMicros: 30_000_000 })
    await using keyed = await openGatewayWithKeys({ database, providers: [sandbox, upstream] })
    const operator = keyed.operator()
    const lost = await generateAttempt(keyed, 'a fox [sandbox:vanish]')
    const { errors } = await operator.execute(ADJUST, { attemptId: lost.id, costMicros: 5, note: 'a guess' })
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('Resolve it with resolveAttempt first') as string,
      extensions: { code: 'CONFLICT', field: 'attemptId' },
    })
    const unpaid: Attempt[] = []
    for (let i = 0; i < 3; i++) unpaid.push(await generateAttempt(keyed, 'a fox', 'priced'))
    const listed = async (reason: string) => {
      const ids: string[] = []
      let after: string | null = null
      for (;;) {
        const { attemptsNeedingReview: page }: Review = await operator.get<Review>(REVIEW, { reason, after })
        ids.push(...page.nodes.map(({ id }) => id))
        if (!page.pageInfo.hasNextPage) return ids
        after = page.pageInfo.endCursor
      }
    }
    expect(await listed('OUTCOME_UNKNOWN')).toEqual([lost.id])
    expect(await listed('COST_UNKNOWN')).toEqual(unpaid.map(({ id }) => id))
    const [first] = unpaid
    const [held] = await totals(keyed)
    expect(await adjust(keyed, first!.id, 0)).toMatchObject({ costMicros: 0, charged: 'YES' })
    expect(first).toMatchObject({ state: 'SUCCEEDED', costMicros: null, ledger: [{ kind: 'HOLD' }] })
    expect((await adjust(keyed, first!.id, 9)).ledger.map(({ kind }) => kind)).toEqual([
      'HOLD',
      'POST',
      'ADJUST',
    ])
    expect(await listed('COST_UNKNOWN')).toEqual(unpaid.slice(1).map(({ id }) => id))
    expect(await totals(keyed)).toEqual([held - first!.heldMicros!, 9])
  })

  it('is refused for an uncharged attempt, without a note, for a negative cost, and from another project', async () => {
    await using keyed = await openGatewayWithKeys({ database, providers: [sandbox] })
    const { id } = await generateAttempt(keyed, 'a fox [sandbox:reject]')
    const operator = keyed.operator()
    const free = await operator.execute(ADJUST, { attemptId: id, costMicros: 5, note: 'the invoice' })
    expect(free.errors?.[0]).toMatchObject({
      message: expect.stringContaining('was certainly not charged') as string,
      extensions: { code: 'CONFLICT' },
    })
    const withoutNote = await operator.execute(ADJUST, { attemptId: id, costMicros: 5, note: ' ' })
    expect(withoutNote.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'note' })
    const negative = await operator.execute(ADJUST, { attemptId: id, costMicros: -5, note: 'the invoice' })
    expect(negative.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'costMicros' })
    const elsewhere = keyed.operator(await keyed.newProject('another'))
    const foreign = await elsewhere.execute(ADJUST, { attemptId: id, costMicros: 5, note: 'the invoice' })
    expect(foreign.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND', field: 'attemptId' })
  })
})

describe('setBudget and setLimits', () => {
  const SET = `mutation ($owner: ID!) { setBudget(input: { owner: $owner, period: MONTH, limitMicros: 5 }) { budget { period limitMicros } } }`
  const LIMIT = `mutation ($owner: ID!) { setLimits(input: { owner: $owner, limits: { concurrentTasks: 1 } }) { limits { concurrentTasks } } }`

  it('refuse a variable that was left out, which removes nothing', async () => {
    await using keyed = await openGatewayWithKeys()
    const { id: owner } = await keyed.newKey()
    await keyed.operator().get(SET, { owner })
    const query = `mutation ($owner: ID!, $limitMicros: BigInt) {
      setBudget(input: { owner: $owner, period: MONTH, limitMicros: $limitMicros }) { budget { limitMicros } }
    }`
    const { errors } = await keyed.operator().execute(query, { owner })
    expect(errors?.[0]?.message).toBe('limitMicros is missing; write null to remove the budget.')
    const read = async () =>
      (
        await keyed
          .operator()
          .get<{ node: { budgets: { limitMicros: number | null }[] } }>(
            'query ($owner: ID!) { node(id: $owner) { ... on ApiKey { budgets { limitMicros } } } }',
            { owner },
          )
      ).node.budgets.map(({ limitMicros }) => limitMicros)
    expect(await read()).toEqual([null, 5, null])
    await keyed.operator().get(query, { owner, limitMicros: null })
    expect(await read()).toEqual([null, null, null])
  })

  it('are allowed for operators on projects, and for admins on keys of their own project only', async () => {
    await using keyed = await openGatewayWithKeys()
    const [own, foreign] = [await keyed.newProject('own'), await keyed.newProject('foreign')]
    const admin = keyed.as((await keyed.newKey({ project: own, scopes: ['ADMIN', 'READ'] })).key)
    const generator = await keyed.newKey({ project: own, scopes: ['GENERATE', 'READ'] })
    const foreignKey = await keyed.newKey({ project: foreign })
    for (const query of [SET, LIMIT]) {
      const code = async (client: typeof admin, owner: string) =>
        (await client.execute(query, { owner })).errors?.[0]?.extensions?.['code']
      expect(await code(admin, generator.id)).toBeUndefined()
      expect(await code(admin, own)).toBe('FORBIDDEN')
      expect(await code(admin, foreign)).toBe('FORBIDDEN')
      expect(await code(admin, foreignKey.id)).toBe('NOT_FOUND')
      expect(await code(admin, 'key_nothing')).toBe('NOT_FOUND')
      expect(await code(keyed.as(generator.key), generator.id)).toBe('FORBIDDEN')
      expect(await code(keyed.operator(), foreign)).toBeUndefined()
      expect(await code(keyed.operator(), generator.id)).toBeUndefined()
    }
    const READ_LIMITS = '{ project { budgets { period limitMicros resetsAt } limits { concurrentTasks } } }'
    const { errors } = await keyed.as(generator.key).execute(READ_LIMITS)
    expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN')
    const reporter = await keyed.newKey({ project: foreign, scopes: ['READ', 'REPORT'] })
    const { project } = await keyed.as(reporter.key).get<{
      project: {
        budgets: { period: string; limitMicros: number | null; resetsAt: string | null }[]
        limits: object
      }
    }>(READ_LIMITS)
    expect(project.limits).toEqual({ concurrentTasks: 1 })
    expect(project.budgets.map(({ period, limitMicros }) => [period, limitMicros])).toEqual([
      ['DAY', null],
      ['MONTH', 5],
      ['TOTAL', null],
    ])
    expect(project.budgets.map(({ resetsAt }) => resetsAt?.slice(10))).toEqual([
      'T00:00:00.000Z',
      'T00:00:00.000Z',
      undefined,
    ])
  })
})
