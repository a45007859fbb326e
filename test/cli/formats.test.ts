import { describe, expect, it } from 'vitest'
import { conclusion, costText, summary, tokenTable } from '../../src/cli/demo/summary.ts'
import { graphqlUrl } from '../../src/cli/server-client.ts'
import { fileName } from '../../src/cli/demo/files.ts'
import type { TaskResult } from '../../src/cli/demo/operations.ts'
import { advance, bar } from '../../src/cli/terminal/progress-bar.ts'
import { percent } from '../../src/cli/terminal/view.ts'
import { countOrDash, formatError, formatMs, wrap } from '../../src/cli/format.ts'
import { plain } from '../../src/cli/screen.ts'
import { formatBytes } from '../../src/quantity.ts'

const SUCCEEDED: TaskResult = {
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

describe('the cost of a task', () => {
  it('is unknown, not zero, if it was not reported', () => {
    expect(costText({ costMicros: null, charged: 'UNKNOWN' })).toBe('unknown')
    expect(costText({ costMicros: null, charged: 'YES' })).toBe('unknown')
    expect(costText({ costMicros: null, charged: 'NO' })).toBe('not charged')
  })
})

describe('counts, sizes and times', () => {
  it.each([
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
  ])('formats %s', (text, expected) => {
    expect(text).toBe(expected)
  })

  it('wraps a text at spaces', () => {
    expect(wrap('a red fox in the snow', 9)).toEqual(['a red fox', 'in the', 'snow'])
    expect(wrap('unbreakable', 4)).toEqual(['unbreakable'])
  })
})

describe('the summary', () => {
  it('aligns numbers and shows unknown ones as a dash', () => {
    expect(tokenTable(SUCCEEDED.usage, plain)).toEqual([
      '  Tokens         text    image    total',
      '  Input            14        0       14',
      '  Output            –        –    1,056',
      '  Total                           1,070  reported by the provider',
    ])
  })

  it('shows provider, time, attempts and warnings', () => {
    const warnings = [{ field: 'quality', message: 'HD became HIGH.' }]
    expect(summary({ ...SUCCEEDED, warnings }, 6, plain).slice(5)).toEqual([
      '  Cost       $0.03174',
      '  Provider   studio, model gpt-image-2',
      '  Time       accepted in 6 ms, queued for 3 ms, generated in 4.2 s',
      '  Attempts   1 succeeded',
      '  Warning    quality: HD became HIGH.',
    ])
  })

  it('says that the sandbox is free', () => {
    const provider = { name: 'mine', dialect: 'sandbox' }
    expect(summary({ ...SUCCEEDED, provider }, 6, plain)[5]).toBe(
      '  Cost       $0.03174 by list price; the sandbox is free',
    )
  })

  it('supports a task without usage, cost, provider and attempts', () => {
    const nothing = {
      ...SUCCEEDED,
      usage: null,
      costMicros: null,
      provider: null,
      attempts: [],
      startedAt: null,
    }
    expect(summary(nothing, 1, plain).join('\n')).toContain('unknown: not reported by the provider')
  })
})

describe('the conclusion', () => {
  const error = { code: 'PROVIDER_RATE_LIMITED', message: 'Too many requests.', retryable: true }

  it('is empty after a success', () => {
    expect(conclusion(SUCCEEDED, plain)).toEqual({ lines: [], exitCode: 0 })
  })

  it.each<[charge: string, task: Partial<TaskResult>]>([
    ['It was not charged.', { status: 'FAILED', charged: 'NO', costMicros: null }],
    ['It cost $0.03174.', { status: 'FAILED', charged: 'YES' }],
    ['It was charged; the amount is unknown.', { status: 'CANCELED', charged: 'YES', costMicros: null }],
    ['up to $0.03174: check the account at studio', { status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' }],
    [
      "It may have been charged: check the provider's account",
      { status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN', costMicros: null, provider: null },
    ],
  ])('after a failure exits with 1 and contains: %s', (charge, task) => {
    const { lines, exitCode } = conclusion({ ...SUCCEEDED, error, ...task }, plain)
    expect(exitCode).toBe(1)
    expect(lines.join('\n')).toContain(charge)
    expect(lines.join('\n')).toContain('Too many requests. (PROVIDER_RATE_LIMITED)')
  })
})

describe('the progress bar', () => {
  it.each([
    [0, '····'],
    [0.5, '██··'],
    [0.53125, '██▏·'],
    [1, '████'],
    [7, '████'],
  ])('at %s looks like %s', (fraction, text) => {
    expect(bar(fraction, 4, plain)).toBe(text)
  })

  it('moves to the reported progress, drifts on, and never moves back', () => {
    let shown = 0
    const steps: number[] = []
    for (const reported of [...Array<number>(100).fill(0.4), ...Array<number>(900).fill(0.5)]) {
      const next = advance(shown, reported, 40)
      expect(next).toBeGreaterThanOrEqual(shown)
      steps.push(next)
      shown = next
    }
    expect(steps[5]).toBeLessThan(0.4)
    expect(steps[99]).toBeGreaterThanOrEqual(0.4)
    expect(shown).toBeLessThanOrEqual(0.54)
  })

  it('reaches the end only when that is reported, and then within two seconds', () => {
    let shown = 0
    for (let i = 0; i < 10_000; i++) shown = advance(shown, 0.99, 40)
    expect(shown).toBeLessThan(1)
    for (let i = 0; i < 50; i++) shown = advance(shown, 1, 40)
    expect(shown).toBe(1)
  })
})

describe('file names and URLs', () => {
  it.each([
    ['a red fox in the snow', 'a-red-fox-in-the-snow'],
    ['../../etc/passwd', 'etc-passwd'],
    ['雪の中の赤い狐 🦊!', '雪の中の赤い狐'],
    ['…', 'image'],
    ['word '.repeat(40), 'word-word-word-word-word-word-word-word-word-wor'],
  ])('saves %s as %s', (prompt, name) => {
    expect(fileName(prompt)).toBe(name)
  })

  it.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/graphql'],
    ['http://127.0.0.1:4000/graphql/', 'http://127.0.0.1:4000/graphql'],
    ['https://example.com/images?x=1', 'https://example.com/images/graphql'],
  ])('%s has its GraphQL endpoint at %s', (url, endpoint) => {
    expect(graphqlUrl(url)).toBe(endpoint)
  })
})

describe('an error message', () => {
  it.each<[line: string, error: unknown]>([
    [
      'Port 4000 on 127.0.0.1 is already in use. Choose another one with --port or PORT; 0 selects a free one.',
      Object.assign(new Error('listen'), { code: 'EADDRINUSE', port: 4000, address: '127.0.0.1' }),
    ],
    [
      'Connection refused by 127.0.0.1:1. Check that the server is running there.',
      new TypeError('fetch failed', {
        cause: new AggregateError([
          Object.assign(new Error('x'), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 1 }),
        ]),
      }),
    ],
    ['first', new Error('first\nsecond')],
    ['key [redacted] is wrong', new Error('key sk-abcdefgh1234 is wrong')],
    ['a string', 'a string'],
    ['An error without a message. Set LOG_LEVEL=debug for its stack.', new Error('')],
  ])('is %s', (line, error) => {
    expect(formatError(error)).toBe(line)
  })
})
