import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Charged } from '../../src/domain.ts'
import { decideRetry, type FailedAttempt } from '../../src/engine/attempts/retry-policy.ts'
import type { FailureKind } from '../../src/providers/error.ts'

/** The first of three attempts, at the only provider. */
function failedAttempt(
  kind: FailureKind,
  charged: Charged,
  more: Partial<FailedAttempt> & { retryAfterMs?: number } = {},
): FailedAttempt {
  const { retryAfterMs, ...rest } = more
  return {
    failure: { kind, code: 'PROVIDER_BROKEN', message: '', charged, retryAfterMs },
    attempts: 1,
    maxAttempts: 3,
    permitsLeft: 0,
    onUnknownOutcome: 'HOLD',
    cancelRequested: false,
    otherProvider: undefined,
    provider: 'a',
    random: 0.5,
    ...rest,
  }
}

const other = { otherProvider: 'b' }
const last = { attempts: 3 }
const canceled = { cancelRequested: true }
const none = undefined
const otherNow = { provider: 'b', delayMs: 0 }
/** Half of the first back-off window of one second. */
const same = { provider: 'a', delayMs: 500 }

describe('the retry policy after a failure that is certainly free of charge', () => {
  it.each([
    // kind, other conditions, final state, next attempt
    ['rejected', {}, 'REJECTED', none],
    ['rejected', other, 'REJECTED', none],
    ['refused', {}, 'REJECTED', none],
    ['refused', other, 'REJECTED', otherNow],
    ['refused', { ...other, ...last }, 'REJECTED', none],
    ['refused', { ...other, ...canceled }, 'REJECTED', none],
    ['busy', {}, 'REJECTED', same],
    ['busy', other, 'REJECTED', otherNow],
    ['busy', last, 'REJECTED', none],
    ['busy', canceled, 'REJECTED', none],
    ['busy', { retryAfterMs: 100 }, 'REJECTED', same],
    ['busy', { retryAfterMs: 9000 }, 'REJECTED', { provider: 'a', delayMs: 9000 }],
    ['busy', { retryAfterMs: 600_000 }, 'REJECTED', { provider: 'a', delayMs: 600_000 }],
    ['busy', { retryAfterMs: 600_001 }, 'REJECTED', none],
    ['busy', { retryAfterMs: 600_001, ...other }, 'REJECTED', otherNow],
    ['unreached', {}, 'NOT_SENT', same],
    ['unreached', other, 'NOT_SENT', otherNow],
    ['unreached', last, 'NOT_SENT', none],
    ['unreached', canceled, 'NOT_SENT', none],
    ['broken', {}, 'REJECTED', same],
    ['broken', other, 'REJECTED', otherNow],
    ['broken', last, 'REJECTED', none],
    ['broken', canceled, 'REJECTED', none],
  ] as const)('%s with %o ends as %s and plans %o', (kind, more, state, next) => {
    expect(decideRetry(failedAttempt(kind, 'NO', more))).toEqual({ state, next })
  })
})

describe('the retry policy after a failure that was or may have been charged', () => {
  const kinds = ['rejected', 'refused', 'busy', 'unreached', 'broken'] as const
  const charges = ['YES', 'UNKNOWN'] as const
  it.each(kinds.flatMap((kind) => charges.map((charged) => [kind, charged] as const)))(
    'ends %s with charged %s as FAILED and plans no attempt',
    (kind, charged) => {
      const permissive = { ...other, permitsLeft: 4, onUnknownOutcome: 'RESEND' as const }
      expect(decideRetry(failedAttempt(kind, charged, permissive))).toEqual({ state: 'FAILED', next: none })
    },
  )
})

describe('the retry policy after a lost outcome', () => {
  const resend = { onUnknownOutcome: 'RESEND', permitsLeft: 1 } as const
  it.each([
    [{}, none],
    [other, none],
    [{ permitsLeft: 4 }, none],
    [{ ...resend, permitsLeft: 0 }, none],
    [resend, same],
    [
      { ...resend, ...other },
      { provider: 'b', delayMs: 500 },
    ],
    [{ ...resend, ...last }, none],
    [{ ...resend, ...canceled }, none],
    [{ ...resend, retryAfterMs: 9000 }, same],
  ] as const)('ends as UNKNOWN with %o and plans %o', (more, next) => {
    for (const charged of ['UNKNOWN', 'YES'] as const) {
      expect(decideRetry(failedAttempt('lost', charged, more))).toEqual({ state: 'UNKNOWN', next })
    }
  })
})

const delay = (attempts: number, random: number) =>
  decideRetry(failedAttempt('unreached', 'NO', { attempts, maxAttempts: 100, random })).next?.delayMs

it('backs off exponentially with full jitter, up to 60 seconds', () => {
  expect([1, 2, 3, 6, 7, 20].map((attempts) => delay(attempts, 1))).toEqual([
    1000, 2000, 4000, 32_000, 60_000, 60_000,
  ])
  expect(delay(5, 0)).toBe(0)
})

it('plans an attempt after a possible charge only for a lost outcome with RESEND and a permit left', () => {
  const anyFailedAttempt = fc.record({
    failure: fc.record({
      kind: fc.constantFrom<FailureKind>('rejected', 'refused', 'busy', 'unreached', 'broken', 'lost'),
      charged: fc.constantFrom<Charged>('NO', 'UNKNOWN', 'YES'),
      code: fc.constant('PROVIDER_BROKEN' as const),
      message: fc.constant(''),
      retryAfterMs: fc.option(fc.nat(2_000_000), { nil: undefined }),
    }),
    attempts: fc.integer({ min: 1, max: 6 }),
    maxAttempts: fc.integer({ min: 1, max: 6 }),
    permitsLeft: fc.integer({ min: 0, max: 4 }),
    onUnknownOutcome: fc.constantFrom('HOLD' as const, 'RESEND' as const),
    cancelRequested: fc.boolean(),
    otherProvider: fc.option(fc.constant('b'), { nil: undefined }),
    provider: fc.constant('a'),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(anyFailedAttempt, (failed) => {
      const { state, next } = decideRetry(failed)
      if (!next) return
      expect(failed.cancelRequested).toBe(false)
      expect(failed.attempts).toBeLessThan(failed.maxAttempts)
      const isFree = failed.failure.charged === 'NO' && state !== 'UNKNOWN'
      const isPermitted =
        state === 'UNKNOWN' && failed.onUnknownOutcome === 'RESEND' && failed.permitsLeft > 0
      expect(isFree || isPermitted).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
