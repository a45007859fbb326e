import { describe, expect, test } from 'vitest'
import { explain } from '../../src/cli/explain.ts'
import { bill, costText, tokenTable } from '../../src/cli/demo/bill.ts'
import { graphqlUrl } from '../../src/cli/demo/client.ts'
import { ending } from '../../src/cli/demo/ending.ts'
import { slug } from '../../src/cli/demo/files.ts'
import { countOrDash, formatMs } from '../../src/cli/format.ts'
import { bar, glide, percent } from '../../src/cli/demo/progress-bar.ts'
import type { TaskResult } from '../../src/cli/demo/replies.ts'
import { plain } from '../../src/cli/screen.ts'
import { formatBytes } from '../../src/quantity.ts'

const FIXED: TaskResult = {
  status: 'SUCCEEDED',
  provider: { name: 'studio', dialect: 'openai' },
  model: 'gpt-image-2',
  images: [],
  usage: {
    inputTokens: 14,
    outputTokens: 1_056,
    totalTokens: 1_070,
    inputTokensDetails: { textTokens: 14, imageTokens: 0 },
    outputTokensDetails: null,
    source: 'REPORTED',
  },
  costMicros: 31_740n,
  charged: 'YES',
  error: null,
  warnings: [],
  attempts: [{ number: 1, state: 'SUCCEEDED' }],
  createdAt: '2026-11-20T10:00:00.000Z',
  startedAt: '2026-11-20T10:00:00.003Z',
  finishedAt: '2026-11-20T10:00:04.183Z',
}

describe('a cost', () => {
  test('is unknown, not nothing, when nobody told us', () => {
    expect(costText({ costMicros: null, charged: 'UNKNOWN' })).toBe('unknown')
    expect(costText({ costMicros: null, charged: 'YES' })).toBe('unknown')
    expect(costText({ costMicros: null, charged: 'NO' })).toBe('nothing was charged')
  })
})

describe('numbers', () => {
  test.each([
    [countOrDash(1_056), '1,056'],
    [countOrDash(0), '0'],
    [countOrDash(null), '–'],
    [formatBytes(999), '999 B'],
    [formatBytes(999_499), '999 kB'],
    [formatBytes(999_500), '1.0 MB'],
    [formatMs(12.4), '12 ms'],
    [formatMs(4_180), '4.2 s'],
    [formatMs(59_960), '1 min 0 s'],
    [formatMs(125_000), '2 min 5 s'],
    [percent(0.999), ' 99%'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected)
  })
})

describe('the bill', () => {
  test('lines numbers up and shows what was not told as a dash', () => {
    expect(tokenTable(FIXED.usage, plain)).toEqual([
      '  tokens         text    image     both',
      '  input            14        0       14',
      '  output            –        –    1,056',
      '  total                           1,070  as the provider reported',
    ])
  })

  test('names provider, time, attempts and warnings', () => {
    const warnings = [{ field: 'quality', message: 'HD became HIGH.' }]
    expect(bill({ ...FIXED, warnings }, 6, plain).slice(5)).toEqual([
      '  cost       $0.03174',
      '  provider   studio, gpt-image-2',
      '  time       accepted in 6 ms, queued for 3 ms, developed in 4.2 s',
      '  attempts   1 succeeded',
      '  warning    quality: HD became HIGH.',
    ])
  })

  test('does not let the sandbox pass for an expense', () => {
    const provider = { name: 'mine', dialect: 'sandbox' }
    expect(bill({ ...FIXED, provider }, 6, plain)[5]).toBe(
      '  cost       $0.03174 by list price; the sandbox is free',
    )
  })

  test('survives a task of which nothing is known', () => {
    const nothing = { ...FIXED, usage: null, costMicros: null, provider: null, attempts: [], startedAt: null }
    expect(bill(nothing, 1, plain).join('\n')).toContain('unknown, the provider did not say')
  })
})

describe('an ending', () => {
  const error = { code: 'PROVIDER_RATE_LIMITED', message: 'Too many requests.', retryable: true }

  test('in success needs no words', () => {
    expect(ending(FIXED, plain)).toEqual({ lines: [], exitCode: 0 })
  })

  test.each<[charge: string, task: Partial<TaskResult>]>([
    ['Nothing was charged.', { status: 'FAILED', charged: 'NO', costMicros: null }],
    ['It cost $0.03174.', { status: 'FAILED', charged: 'YES' }],
    ['It was charged; how much is unknown.', { status: 'CANCELED', charged: 'YES', costMicros: null }],
    ['up to $0.03174: see the account at studio', { status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' }],
    [
      "It may have been charged: see the provider's account",
      { status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN', costMicros: null, provider: null },
    ],
  ])('in failure exits with 1 and says: %s', (charge, task) => {
    const { lines, exitCode } = ending({ ...FIXED, error, ...task }, plain)
    expect(exitCode).toBe(1)
    expect(lines.join('\n')).toContain(charge)
    expect(lines.join('\n')).toContain('Too many requests. (PROVIDER_RATE_LIMITED)')
  })
})

describe('the bar', () => {
  test.each([
    [0, '····'],
    [0.5, '██··'],
    [0.53125, '██▏·'],
    [1, '████'],
    [7, '████'],
  ])('at %s is %s', (fraction, text) => {
    expect(bar(fraction, 4, plain)).toBe(text)
  })

  test('glides to what was told, creeps on a little, and never goes back', () => {
    let shown = 0
    const steps: number[] = []
    for (const told of [...Array<number>(100).fill(0.4), ...Array<number>(900).fill(0.5)]) {
      const next = glide(shown, told, 40)
      expect(next).toBeGreaterThanOrEqual(shown)
      steps.push(next)
      shown = next
    }
    expect(steps[5]).toBeLessThan(0.4)
    expect(steps[99]).toBeGreaterThanOrEqual(0.4)
    expect(shown).toBeLessThanOrEqual(0.54)
  })

  test('reaches the end only when it was told so, and then within two seconds', () => {
    let shown = 0
    for (let i = 0; i < 10_000; i++) shown = glide(shown, 0.99, 40)
    expect(shown).toBeLessThan(1)
    for (let i = 0; i < 50; i++) shown = glide(shown, 1, 40)
    expect(shown).toBe(1)
  })
})

describe('names and addresses', () => {
  test.each([
    ['a red fox in the snow', 'a-red-fox-in-the-snow'],
    ['../../etc/passwd', 'etc-passwd'],
    ['雪の中の赤い狐 🦊!', '雪の中の赤い狐'],
    ['…', 'picture'],
    ['word '.repeat(40), 'word-word-word-word-word-word-word-word-word-wor'],
  ])('%s is kept as %s', (prompt, name) => {
    expect(slug(prompt)).toBe(name)
  })

  test.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/graphql'],
    ['http://127.0.0.1:4000/graphql/', 'http://127.0.0.1:4000/graphql'],
    ['https://example.com/images?x=1', 'https://example.com/images/graphql'],
  ])('%s speaks GraphQL at %s', (url, endpoint) => {
    expect(graphqlUrl(url)).toBe(endpoint)
  })
})

describe('an error becomes one line', () => {
  test.each<[line: string, error: unknown]>([
    [
      'Port 4000 on 127.0.0.1 is taken already. Choose another one with --port or PORT; 0 picks a free one.',
      Object.assign(new Error('listen'), { code: 'EADDRINUSE', port: 4000, address: '127.0.0.1' }),
    ],
    [
      'Nothing answers at 127.0.0.1:1. Is the server running?',
      new TypeError('fetch failed', {
        cause: new AggregateError([
          Object.assign(new Error('x'), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 1 }),
        ]),
      }),
    ],
    ['first', new Error('first\nsecond')],
    ['key [redacted] is wrong', new Error('key sk-abcdefgh1234 is wrong')],
    ['a text', 'a text'],
    ['Something went wrong, and it did not say what.', new Error('')],
  ])('%s', (line, error) => {
    expect(explain(error)).toBe(line)
  })
})
