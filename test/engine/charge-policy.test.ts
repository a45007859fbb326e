import { describe, expect, it } from 'vitest'
import { listAudit } from '../../src/db/access/audit.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { listLines } from '../../src/db/money/ledger.ts'
import type { Charged } from '../../src/domain.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import { uncertainChargeOf } from '../../src/engine/attempts/charge-policy.ts'
import { decideUnknownCharges } from '../../src/engine/maintenance/decide-charges.ts'
import type { ChargePolicy } from '../../src/providers/provider.ts'
import { DATABASES, type DatabaseKind } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, failure, scripted } from '../support/scripted.ts'

const UNKNOWN: ChargePolicy = { moderation: 'UNKNOWN', failure: 'UNKNOWN', timeout: 'UNKNOWN' }
const moderated = () => failure('rejected', { charged: 'UNKNOWN' })
const serverError = () => failure('lost', { httpStatus: 500 })
const findNothing = () => Promise.resolve(undefined)
const never = new AbortController().signal

describe('an uncertain charge', () => {
  it.each([
    ['MODERATION', { kind: 'rejected', code: 'MODERATION_BLOCKED', httpStatus: 400, isAccepted: false }],
    ['FAILURE', { kind: 'broken', code: 'PROVIDER_BROKEN', httpStatus: 200, isAccepted: false }],
    ['FAILURE', { kind: 'lost', code: 'OUTCOME_UNKNOWN', httpStatus: 500, isAccepted: false }],
    ['TIMEOUT', { kind: 'lost', code: 'OUTCOME_UNKNOWN', httpStatus: 504, isAccepted: false }],
    ['TIMEOUT', { kind: 'lost', code: 'OUTCOME_UNKNOWN', httpStatus: 408, isAccepted: false }],
    ['TIMEOUT', { kind: 'lost', code: 'OUTCOME_UNKNOWN', httpStatus: null, isAccepted: false }],
    ['TIMEOUT', { kind: 'lost', code: 'OUTCOME_UNKNOWN', httpStatus: 503, isAccepted: true }],
  ] as const)('is of the kind %s', (kind, given) => {
    expect(uncertainChargeOf(given)).toBe(kind)
  })
})

function open(kind: DatabaseKind, charges: Partial<ChargePolicy>, error: () => Error, more: object = {}) {
  const provider = scripted((sent, nth) => (nth === 1 ? Promise.reject(error()) : done(sent)), {
    charges: { ...UNKNOWN, ...charges },
    ...more,
  })
  return openEngine({ database: kind, providers: [provider] })
}

describe.each(DATABASES)('the charge policy of a provider, on %s', (database) => {
  it.each<[Charged, object]>([
    ['NO', { state: 'REJECTED', charged: 'NO', chargePolicy: 'MODERATION' }],
    ['UNKNOWN', { state: 'FAILED', charged: 'UNKNOWN', chargePolicy: null }],
    ['YES', { state: 'FAILED', charged: 'YES', chargePolicy: 'MODERATION', costMicros: null }],
  ])(
    'decides a refusal by moderation as %s, and keeps that the evidence did not',
    async (moderation, expected) => {
      await using one = await open(database, { moderation }, moderated)
      const { id } = await one.create()
      const { error } = await one.reached(id, 'FAILED')
      expect(error).toMatchObject({ code: 'MODERATION_BLOCKED', charged: moderation })
      expect(await one.attempts(id)).toMatchObject([expected])
    },
  )

  it('does not decide what the evidence proves', async () => {
    await using one = await open(database, { moderation: 'YES' }, () =>
      failure('rejected', { charged: 'NO' }),
    )
    const { id } = await one.create()
    await one.reached(id, 'FAILED')
    expect(await one.attempts(id)).toMatchObject([{ charged: 'NO', chargePolicy: null }])
  })

  it('retries a request without an answer where it is not charged', async () => {
    await using one = await open(database, { timeout: 'NO' }, () => failure('lost'))
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(await one.attempts(id)).toMatchObject([
      { state: 'REJECTED', charged: 'NO', chargePolicy: 'TIMEOUT' },
      { state: 'SUCCEEDED' },
    ])
  })

  it('waits for a late result, and decides once none can be expected', async () => {
    await using one = await open(database, { failure: 'YES' }, serverError, {
      find: findNothing,
      timeoutMs: 1,
    })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    await decideUnknownCharges(one.deps, never)
    expect(await one.task(id)).toMatchObject({ status: 'OUTCOME_UNKNOWN' })
    const later = { ...one.deps.clock, now: () => Date.now() + 3_600_000 }
    await decideUnknownCharges({ ...one.deps, clock: later }, never)
    expect(await one.task(id)).toMatchObject({ status: 'FAILED' })
    expect(await one.attempts(id)).toMatchObject([{ charged: 'YES', chargePolicy: 'FAILURE' }])
  })

  it('is corrected by a cost, although the attempt was retried and charged on the only permit', async () => {
    await using one = await open(database, { timeout: 'NO' }, () => failure('lost'))
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    const [first] = await one.attempts(id)
    await one.engine.adjustCost(operatorOf(DEFAULT_PROJECT), first!.id, 700, 'invoice 7')
    const [after] = await one.attempts(id)
    expect(after).toMatchObject({
      state: 'FAILED',
      charged: 'YES',
      costMicros: 700,
      billedWithoutPermit: true,
    })
    const lines = await listLines(one.db.read, [first!.id])
    expect(lines.map(({ kind, source }) => [kind, source])).toEqual([
      ['HOLD', null],
      ['VOID', null],
      ['ADJUST', 'OPERATOR'],
    ])
    expect(await listAudit(one.db.read, first!.id)).toMatchObject([{ action: 'adjustCost' }])
  })
})
