import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Charged } from '../../src/domain.ts'
import { decideRetry, type FailedAttempt } from '../../src/engine/attempts/retry-policy.ts'
import type { FailureKind } from '../../src/providers/error.ts'

/** The first of three attempts, at the only provider there is. */
function situation(
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
    elsewhere: undefined,
    here: 'here',
    random: 0.5,
    ...rest,
  }
}

const elsewhere = { elsewhere: 'there' }
const last = { attempts: 3 }
const canceled = { cancelRequested: true }
const stop = undefined
const there = { provider: 'there', delayMs: 0 }
/** Half of the first window of a second. */
const here = { provider: 'here', delayMs: 500 }

describe('after a failure that is certainly free', () => {
  it.each([
    // kind, what else holds, where the attempt ends, what follows
    ['rejected', {}, 'REJECTED', stop],
    ['rejected', elsewhere, 'REJECTED', stop],
    ['refused', {}, 'REJECTED', stop],
    ['refused', elsewhere, 'REJECTED', there],
    ['refused', { ...elsewhere, ...last }, 'REJECTED', stop],
    ['refused', { ...elsewhere, ...canceled }, 'REJECTED', stop],
    ['busy', {}, 'REJECTED', here],
    ['busy', elsewhere, 'REJECTED', there],
    ['busy', last, 'REJECTED', stop],
    ['busy', canceled, 'REJECTED', stop],
    ['busy', { retryAfterMs: 100 }, 'REJECTED', here],
    ['busy', { retryAfterMs: 9000 }, 'REJECTED', { provider: 'here', delayMs: 9000 }],
    ['busy', { retryAfterMs: 600_000 }, 'REJECTED', { provider: 'here', delayMs: 600_000 }],
    ['busy', { retryAfterMs: 600_001 }, 'REJECTED', stop],
    ['busy', { retryAfterMs: 600_001, ...elsewhere }, 'REJECTED', there],
    ['unreached', {}, 'NOT_SENT', here],
    ['unreached', elsewhere, 'NOT_SENT', there],
    ['unreached', last, 'NOT_SENT', stop],
    ['unreached', canceled, 'NOT_SENT', stop],
    ['broken', {}, 'REJECTED', here],
    ['broken', elsewhere, 'REJECTED', there],
    ['broken', last, 'REJECTED', stop],
    ['broken', canceled, 'REJECTED', stop],
  ] as const)('%s with %o: %s, then %o', (kind, more, attempt, next) => {
    expect(decideRetry(situation(kind, 'NO', more))).toEqual({ attempt, next })
  })
})

describe('after a failure that was or may have been charged', () => {
  const kinds = ['rejected', 'refused', 'busy', 'unreached', 'broken'] as const
  const charges = ['YES', 'UNKNOWN'] as const
  it.each(kinds.flatMap((kind) => charges.map((charged) => [kind, charged] as const)))(
    '%s, charged %s: FAILED, and nothing follows',
    (kind, charged) => {
      const generous = { ...elsewhere, permitsLeft: 4, onUnknownOutcome: 'RESEND' as const }
      expect(decideRetry(situation(kind, charged, generous))).toEqual({ attempt: 'FAILED', next: stop })
    },
  )
})

describe('after a loss', () => {
  const resend = { onUnknownOutcome: 'RESEND', permitsLeft: 1 } as const
  it.each([
    [{}, stop],
    [elsewhere, stop],
    [{ permitsLeft: 4 }, stop],
    [{ ...resend, permitsLeft: 0 }, stop],
    [resend, here],
    [
      { ...resend, ...elsewhere },
      { provider: 'there', delayMs: 500 },
    ],
    [{ ...resend, ...last }, stop],
    [{ ...resend, ...canceled }, stop],
    [{ ...resend, retryAfterMs: 9000 }, here],
  ] as const)('with %o: UNKNOWN, then %o', (more, next) => {
    for (const charged of ['UNKNOWN', 'YES'] as const) {
      expect(decideRetry(situation('lost', charged, more))).toEqual({ attempt: 'UNKNOWN', next })
    }
  })
})

const delay = (attempts: number, random: number) =>
  decideRetry(situation('unreached', 'NO', { attempts, maxAttempts: 100, random })).next?.delayMs

it('waits up to 1, 2, 4 … 60 seconds, by chance, before it tries the same provider again', () => {
  expect([1, 2, 3, 6, 7, 20].map((attempts) => delay(attempts, 1))).toEqual([
    1000, 2000, 4000, 32_000, 60_000, 60_000,
  ])
  expect(delay(5, 0)).toBe(0)
})

it('never lets anything follow a possible charge, unless it was lost, may be sent again, and a permit is left', () => {
  const anything = fc.record({
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
    elsewhere: fc.option(fc.constant('there'), { nil: undefined }),
    here: fc.constant('here'),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(anything, (now) => {
      const { attempt, next } = decideRetry(now)
      if (!next) return
      expect(now.cancelRequested).toBe(false)
      expect(now.attempts).toBeLessThan(now.maxAttempts)
      const free = now.failure.charged === 'NO' && attempt !== 'UNKNOWN'
      const allowed = attempt === 'UNKNOWN' && now.onUnknownOutcome === 'RESEND' && now.permitsLeft > 0
      expect(free || allowed).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
