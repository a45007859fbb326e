// Budgets, limits, scopes, changes and deliveries of the dashboard in words.
import { describe, expect, it } from 'vitest'
import { readAccessSearch } from '../../dashboard/src/access/access-search.ts'
import { budgetText, sharesOf, tightest } from '../../dashboard/src/access/budgets.ts'
import { changeText } from '../../dashboard/src/access/change-text.ts'
import { keyState } from '../../dashboard/src/access/key-state.ts'
import { limitField, limitText, readLimit } from '../../dashboard/src/access/limits.ts'
import { scopesText } from '../../dashboard/src/access/scopes.ts'
import type { BudgetState, DeliveryRow } from '../../dashboard/src/api/generated.ts'
import { moved } from '../../dashboard/src/ui/roving-focus.ts'
import { eventsText, progressText } from '../../dashboard/src/webhooks/texts.ts'
import { readWebhooksSearch } from '../../dashboard/src/webhooks/webhooks-search.ts'

const budget = (fields: Partial<BudgetState>): BudgetState => ({
  period: 'DAY',
  limitMicros: 10_000_000,
  spentMicros: 0,
  heldMicros: 0,
  remainingMicros: 10_000_000,
  resetsAt: null,
  ...fields,
})

describe('a budget', () => {
  it('has a bar that spent and held amounts fill together, and never more', () => {
    expect(sharesOf(budget({ spentMicros: 2_500_000, heldMicros: 5_000_000 }))).toEqual({
      spent: 0.25,
      held: 0.5,
    })
    expect(sharesOf(budget({ spentMicros: 12_000_000, heldMicros: 1 }))).toEqual({ spent: 1, held: 0 })
    expect(sharesOf(budget({ spentMicros: 9_000_000, heldMicros: 9_000_000 }))).toEqual({
      spent: 0.9,
      held: expect.closeTo(0.1, 5),
    })
    expect(sharesOf(budget({ limitMicros: 0 }))).toEqual({ spent: 1, held: 0 })
    expect(sharesOf(budget({ limitMicros: null }))).toEqual({ spent: 0, held: 0 })
  })

  it('is named with what is spent or held, and its period', () => {
    expect(budgetText(budget({ spentMicros: 3_000_000, heldMicros: 200_000 }))).toBe('$3.20 of $10.00 today')
    expect(budgetText(budget({ limitMicros: null, period: 'TOTAL' }))).toBe('$0.00 in all')
  })

  it('with the smallest share left is the tightest; periods without one do not count', () => {
    const month = budget({ period: 'MONTH', remainingMicros: 1_000_000 })
    expect(tightest([budget({}), month, budget({ period: 'TOTAL', limitMicros: null })])).toBe(month)
    const stopped = budget({ period: 'TOTAL', limitMicros: 0, remainingMicros: 0 })
    expect(tightest([month, stopped])).toBe(stopped)
    expect(tightest([budget({ limitMicros: null })])).toBeUndefined()
  })
})

describe('a limit', () => {
  it('is read as typed, uploads in megabytes, and an empty field is none', () => {
    expect(readLimit('tasksPerMinute', ' 1,200 ')).toBe(1_200)
    expect(readLimit('uploadBytesPerMinute', '0.5')).toBe(524_288)
    expect(readLimit('tasksPerMinute', '')).toBeNull()
    for (const text of ['-1', '1.5', 'ten', '99999999999'])
      expect(readLimit('tasksPerMinute', text)).toBeUndefined()
    for (const bytes of [0, 1_048_576, 20 * 1_048_576])
      expect(readLimit('uploadBytesPerMinute', limitField('uploadBytesPerMinute', bytes))).toBe(bytes)
    expect(limitText('uploadBytesPerMinute', 20 * 1_048_576)).toBe('20 MB')
    expect(limitText('concurrentTasks', null)).toBe('no limit')
  })
})

const details = (values: Record<string, string | null>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }))

describe('a change', () => {
  it.each([
    [
      'setBudget',
      { period: 'MONTH', limitMicros: '50000000', before: null },
      'set the budget (this month) to $50.00, before: none',
    ],
    [
      'setBudget',
      { period: 'DAY', limitMicros: null, before: '0' },
      'removed the budget (today), before: $0.00',
    ],
    [
      'setLimits',
      { tasksPerMinute: '120', concurrentTasks: null },
      'set limits, new tasks per minute: 120, tasks at once: no limit',
    ],
    ['setLimits', {}, 'removed all limits'],
    ['createApiKey', { name: 'shop', scopes: 'GENERATE READ' }, 'created the key “shop”: generate, read'],
    ['setRetention', { days: '30' }, 'setRetention, days 30'],
  ])('%s %j is "%s"', (action, values, text) => {
    expect(changeText({ action, details: details(values) })).toBe(text)
  })
})

it('a key is active, expires, has expired or is revoked', () => {
  const now = Date.parse('2026-11-30T12:00:00Z')
  const state = (expiresAt: string | null, revokedAt: string | null = null) =>
    keyState({ expiresAt, revokedAt }, now)
  expect(state(null)).toEqual({ text: 'active', tone: 'good' })
  expect(state('2026-12-02T12:00:00Z')).toEqual({ text: 'expires in 2 d', tone: 'warn' })
  expect(state('2026-11-30T11:00:00Z')).toEqual({ text: 'expired 1 h ago', tone: 'off' })
  expect(state('2026-12-02T12:00:00Z', '2026-11-30T11:59:00Z')).toEqual({
    text: 'revoked 1 min ago',
    tone: 'off',
  })
  expect(scopesText(['ADMIN', 'READ'])).toBe('Read, administer')
})

it('addresses keep known values only', () => {
  expect(readAccessSearch({ tab: 'keys', revoked: 'true' })).toEqual({ revoked: true })
  expect(readAccessSearch({ tab: 'secrets', revoked: 'no' })).toEqual({})
  expect(readWebhooksSearch({ state: 'FAILED', extra: 1 })).toEqual({ state: 'FAILED' })
  expect(readWebhooksSearch({ state: 'LOST' })).toEqual({})
})

it('a delivery says what its last try was, and when the next one is', () => {
  const delivery = {
    state: 'PENDING',
    nextTryAt: '2026-11-30T12:05:00Z',
    tries: [{ number: 1, at: '', durationMs: 12, httpStatus: 500, failure: 'REFUSED' }],
  } as unknown as DeliveryRow
  const now = Date.parse('2026-11-30T12:00:00Z')
  expect(progressText(delivery, now)).toBe('HTTP 500 in 12 ms: the receiver refused it; next try in 5 min')
  expect(progressText({ ...delivery, state: 'FAILED', nextTryAt: null }, now)).toBe(
    'HTTP 500 in 12 ms: the receiver refused it',
  )
  expect(progressText({ ...delivery, tries: [], nextTryAt: '2026-11-30T12:00:00Z' }, now)).toBe('sending')
  expect(eventsText(['TASK_FAILED', 'WEBHOOK_TEST'])).toBe('task.failed, webhook.test')
  expect(eventsText(null)).toBe('all events')
})

it('arrows move within a grid, and stay in their column at the top', () => {
  const grid = { columns: 3, count: 8 }
  expect(moved('ArrowDown', 1, grid)).toBe(4)
  expect(moved('ArrowDown', 7, grid)).toBe(7)
  expect(moved('ArrowUp', 2, grid)).toBe(2)
  expect(moved('PageUp', 7, grid)).toBe(1)
  expect(moved('End', 0, grid)).toBe(7)
  expect(moved('Home', 5, grid)).toBe(0)
  expect(moved('ArrowLeft', 0, { columns: 1, count: 4 })).toBeUndefined()
  expect(moved('x', 0, grid)).toBeUndefined()
})
