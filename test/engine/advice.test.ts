import { expect, it } from 'vitest'
import { adviceOf } from '../../src/engine/attempts/advice.ts'

const ATTEMPT = { id: 'att_1', provider: 'cloud', remoteId: 'job-7', providerRequestId: null }

it.each([
  ['REJECTED', 'NO', null, 'Nothing to do: the attempt was not charged.'],
  ['SUCCEEDED', 'YES', 41_200, 'Nothing to do: the attempt was charged, and its cost is recorded.'],
  ['FAILED', 'YES', 41_200, 'Nothing to do: the attempt was charged, and its cost is recorded.'],
  [
    'SUCCEEDED',
    'YES',
    null,
    'It was charged, but the amount is unknown. Look for job-7 or att_1 on the bill of cloud, and record the amount with adjustCost.',
  ],
  ['FAILED', 'UNKNOWN', null, 'The bill of cloud shows whether this attempt was charged.'],
] as const)(
  'of an attempt that is %s, with charge %s and the cost %s',
  (state, charged, costMicros, text) => {
    const attempt = { ...ATTEMPT, state, charged, costMicros }
    const advice = adviceOf(attempt, { provider: undefined, addresses: 0 })
    const isRetryPaid = state === 'FAILED'
    expect(advice).toEqual({ text, resolutions: [], canFetch: false, isRetryPaid })
  },
)
