import { describe, expect, it } from 'vitest'
import { openKeyed, type Keyed } from '../access/keyed.ts'
import { DATABASES } from '../support/database.ts'
import { openShop } from './shop.ts'

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

const SEEN =
  'id state charged costMicros heldMicros ledger { kind amountMicros } decisions { costMicros note }'
const ADJUST = `mutation ($attemptId: ID!, $costMicros: BigInt!, $note: String!) {
  adjustCost(attemptId: $attemptId, costMicros: $costMicros, note: $note) { ${SEEN} }
}`
const REVIEW = `query ($reason: ReviewReason!, $after: String) {
  attemptsNeedingReview(reason: $reason, first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}`

const sandbox = { name: 'sandbox', dialect: 'sandbox', durationMs: 0 }

/** Asks with the operator's key, waits for the end, and answers the attempt. */
async function attemptOf(keyed: Keyed, prompt: string, provider = 'sandbox'): Promise<Attempt> {
  const operator = keyed.operator()
  const id = await operator.generate({ prompt, size: '1024x1024', providers: [provider] })
  await operator.ended(id)
  const { task } = await operator.get<{ task: { attempts: Attempt[] } }>(
    `query ($id: ID!) { task(id: $id) { attempts { ${SEEN} } } }`,
    { id },
  )
  return task.attempts[0]!
}

async function adjust(keyed: Keyed, attemptId: string, costMicros: number): Promise<Attempt> {
  const { adjustCost } = await keyed
    .operator()
    .get<{ adjustCost: Attempt }>(ADJUST, { attemptId, costMicros, note: 'the bill of May, line 3' })
  return adjustCost
}

async function totals(keyed: Keyed): Promise<[number, number]> {
  const { project } = await keyed
    .operator()
    .get<{ project: { budgets: { heldMicros: number; spentMicros: number }[] } }>(
      '{ project { budgets { heldMicros spentMicros } } }',
    )
  const { heldMicros, spentMicros } = project.budgets.at(-1)!
  return [heldMicros, spentMicros]
}

describe.each(DATABASES)('the bill of a provider, on %s', (database) => {
  it('corrects a cost that was known, by a line of its own', async () => {
    await using keyed = await openKeyed({ database, providers: [sandbox] })
    const { id, costMicros, heldMicros, ledger } = await attemptOf(keyed, 'a fox')
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
    // As it is: nothing is written but the record.
    expect((await adjust(keyed, id, 7)).ledger).toHaveLength(4)
    expect(less.decisions).toEqual([
      { costMicros: 7, note: 'the bill of May, line 3' },
      { costMicros: costMicros! + 500, note: 'the bill of May, line 3' },
    ])
  })

  it('posts a cost that nobody knew, and takes the attempt off the list', async () => {
    // A price by token is worth nothing where nobody tells the tokens.
    const shop = await openShop({ inputTextMicros: 5_000_000, outputImageMicros: 30_000_000 })
    await using keyed = await openKeyed({ database, providers: [sandbox, shop] })
    const operator = keyed.operator()
    const lost = await attemptOf(keyed, 'a fox [sandbox:vanish]')
    const { errors } = await operator.ask(ADJUST, { attemptId: lost.id, costMicros: 5, note: 'a guess' })
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('Resolve it with resolveAttempt first') as string,
      extensions: { code: 'CONFLICT', field: 'attemptId' },
    })
    const unpaid: Attempt[] = []
    for (let i = 0; i < 3; i++) unpaid.push(await attemptOf(keyed, 'a fox', 'shop'))
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

  it('is refused for what was certainly free, without a note, and from another project', async () => {
    await using keyed = await openKeyed({ database, providers: [sandbox] })
    const { id } = await attemptOf(keyed, 'a fox [sandbox:reject]')
    const operator = keyed.operator()
    const free = await operator.ask(ADJUST, { attemptId: id, costMicros: 5, note: 'the bill' })
    expect(free.errors?.[0]).toMatchObject({
      message: expect.stringContaining('was certainly not charged') as string,
      extensions: { code: 'CONFLICT' },
    })
    const silent = await operator.ask(ADJUST, { attemptId: id, costMicros: 5, note: ' ' })
    expect(silent.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'note' })
    const negative = await operator.ask(ADJUST, { attemptId: id, costMicros: -5, note: 'the bill' })
    expect(negative.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'costMicros' })
    const elsewhere = keyed.operator(await keyed.newProject('another'))
    const foreign = await elsewhere.ask(ADJUST, { attemptId: id, costMicros: 5, note: 'the bill' })
    expect(foreign.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND', field: 'attemptId' })
  })
})

describe('who decides about money', () => {
  const SET = `mutation ($owner: ID!) { setBudget(owner: $owner, period: MONTH, limitMicros: 5) { period limitMicros } }`
  const LIMIT = `mutation ($owner: ID!) { setLimits(owner: $owner, limits: { concurrentTasks: 1 }) { concurrentTasks } }`

  it('are operators for projects, admins for the keys of their own project, and nobody else', async () => {
    await using keyed = await openKeyed()
    const [ours, theirs] = [await keyed.newProject('ours'), await keyed.newProject('theirs')]
    const admin = keyed.as((await keyed.newKey({ project: ours, scopes: ['ADMIN', 'READ'] })).key)
    const painter = await keyed.newKey({ project: ours, scopes: ['GENERATE', 'READ'] })
    const foreign = await keyed.newKey({ project: theirs })
    for (const query of [SET, LIMIT]) {
      const code = async (client: typeof admin, owner: string) =>
        (await client.ask(query, { owner })).errors?.[0]?.extensions?.['code']
      expect(await code(admin, painter.id)).toBeUndefined()
      expect(await code(admin, ours)).toBe('FORBIDDEN')
      expect(await code(admin, theirs)).toBe('FORBIDDEN')
      expect(await code(admin, foreign.id)).toBe('NOT_FOUND')
      expect(await code(admin, 'key_nothing')).toBe('NOT_FOUND')
      expect(await code(keyed.as(painter.key), painter.id)).toBe('FORBIDDEN')
      expect(await code(keyed.operator(), theirs)).toBeUndefined()
      expect(await code(keyed.operator(), painter.id)).toBeUndefined()
    }
    const looking = '{ project { budgets { period limitMicros resetsAt } limits { concurrentTasks } } }'
    const { errors } = await keyed.as(painter.key).ask(looking)
    expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN')
    const reporter = await keyed.newKey({ project: theirs, scopes: ['READ', 'REPORT'] })
    const { project } = await keyed.as(reporter.key).get<{
      project: {
        budgets: { period: string; limitMicros: number | null; resetsAt: string | null }[]
        limits: object
      }
    }>(looking)
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
