import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHARGES, TASK_ERROR_CODES, type TaskError } from '../../src/domain.ts'
import { GATEWAY_ERROR_CODES, GatewayError } from '../../src/errors.ts'
import { errorBody, problemHeaders, problemOf, type RestFailure } from '../../src/http/rest/problem.ts'
import { REQUEST_ERRORS, type RequestErrorCode } from '../../src/http/refusal.ts'

const anyError: fc.Arbitrary<TaskError | null> = fc.option(
  fc.record({
    code: fc.constantFrom(...TASK_ERROR_CODES),
    message: fc.string(),
    retryable: fc.boolean(),
    charged: fc.constantFrom(...CHARGES),
    providerRequestId: fc.option(fc.string()),
  }),
)

const anyFailure: fc.Arbitrary<RestFailure> = fc.oneof(
  fc.record({
    is: fc.constant('TASK' as const),
    task: fc.record({
      id: fc.constant('task_1'),
      status: fc.constantFrom('FAILED' as const, 'CANCELED' as const, 'OUTCOME_UNKNOWN' as const),
      error: anyError,
    }),
    charged: fc.constantFrom(...CHARGES),
    isKeyed: fc.boolean(),
    param: fc.constantFrom('image', null),
  }),
  fc.record({
    is: fc.constant('WAITING' as const),
    taskId: fc.constant('task_1'),
    charged: fc.constantFrom(...CHARGES),
    attaches: fc.boolean(),
  }),
  fc.record({
    is: fc.constant('EXPIRED' as const),
    taskId: fc.constant('task_1'),
    charged: fc.constantFrom(...CHARGES),
  }),
  fc.record({
    is: fc.constant('BUG' as const),
    id: fc.uuid(),
    taskId: fc.constantFrom('task_1', null),
  }),
  fc.record({
    is: fc.constant('REFUSED' as const),
    error: fc
      .tuple(fc.constantFrom(...GATEWAY_ERROR_CODES), fc.option(fc.integer({ min: 0, max: 900_000 })))
      .map(([code, ms]) => new GatewayError(code, 'refused', ms === null ? {} : { retryAfterMs: ms })),
    param: fc.constantFrom('size', null),
  }),
  fc.record({
    is: fc.constant('HTTP' as const),
    code: fc.constantFrom(...names(REQUEST_ERRORS)),
    message: fc.string(),
  }),
)

function names(codes: typeof REQUEST_ERRORS): RequestErrorCode[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own keys
  return Object.keys(codes) as RequestErrorCode[]
}

/** All SDKs send these again, and two families whatever `x-should-retry` says. */
const isRepeated = (status: number) => [408, 409, 429].includes(status) || status >= 500

/** Before a task exists, nothing is charged. */
function mayBeCharged(failure: RestFailure): boolean {
  if (failure.is === 'BUG') return failure.taskId !== null
  if (failure.is === 'TASK' || failure.is === 'WAITING' || failure.is === 'EXPIRED')
    return failure.charged !== 'NO'
  return false
}

describe('the response to a request without images', () => {
  it('is never repeated by an SDK when it may have been charged, unless a repeat certainly attaches', () => {
    fc.assert(
      fc.property(anyFailure, (failure) => {
        const { status, retry } = problemOf(failure)
        const attaches = failure.is === 'WAITING' && failure.attaches
        const isAskedAgain = isRepeated(status) || retry
        expect(isAskedAgain && mayBeCharged(failure) && !attaches).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  it('has a shape that every SDK reads, and says whether to retry', () => {
    fc.assert(
      fc.property(anyFailure, (failure) => {
        const problem = problemOf(failure)
        const headers = problemHeaders(problem)
        expect(problem.status).toBeGreaterThanOrEqual(400)
        expect(errorBody(problem)).toMatchObject({
          error: { message: expect.any(String), type: expect.any(String), code: expect.any(String) },
        })
        expect(errorBody(problem)).toHaveProperty('error.param')
        expect(headers['x-should-retry']).toBe(String(problem.retry))
        // Java and .NET wait for as long as it says.
        expect(Number(headers['retry-after'] ?? 0)).toBeLessThanOrEqual(60)
      }),
    )
  })

  it('tells a keyed request not to repeat an error of its task', () => {
    fc.assert(
      fc.property(anyFailure, (failure) => {
        const isKeyed = failure.is === 'TASK' && failure.isKeyed
        expect(isKeyed && problemOf(failure).retry).toBe(false)
      }),
    )
  })

  it.each([
    ['BUDGET_EXCEEDED', 402, 'budget_exceeded', false],
    ['MODEL_UNKNOWN', 404, 'model_not_found', false],
    ['IDEMPOTENCY_KEY_REUSED', 422, 'idempotency_key_reused', false],
    ['CONFLICT', 400, 'conflict', false],
    ['SHUTTING_DOWN', 503, 'shutting_down', true],
    ['UNAUTHENTICATED', 401, 'invalid_api_key', false],
  ] as const)('%s is %i %s', (code, status, name, retry) => {
    const error = new GatewayError(code, 'refused')
    expect(problemOf({ is: 'REFUSED', error, param: null })).toMatchObject({ status, code: name, retry })
  })

  it('asks for a retry of a rate limit only if waiting a minute lifts it', () => {
    expect(limitedFor(2_000)).toMatchObject({ status: 429, retry: true, retryAfter: 2 })
    expect(limitedFor(300_000)).toMatchObject({ status: 429, retry: false, retryAfter: 60 })
    expect(limitedFor(300_000).details).toEqual({ retry_after_ms: 300_000 })
  })
})

function limitedFor(retryAfterMs: number) {
  const error = new GatewayError('RATE_LIMITED', 'wait', { retryAfterMs })
  return problemOf({ is: 'REFUSED', error, param: null })
}
