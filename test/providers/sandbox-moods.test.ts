import { access } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import type { ProviderRequest as Order } from '../../src/providers/provider.ts'
import { readDirections, SANDBOX_DIRECTIVES } from '../../src/providers/sandbox/scenario.ts'
import { develop, openCall, openSandbox, orderOf, type Heard } from './sandbox-call.ts'

interface Fall {
  failure: Failure
  heard: Heard
}

async function failWith(
  wishes: Partial<Order>,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Fall> {
  const { call, heard } = await openCall(signal)
  try {
    await openSandbox(options).submit(orderOf(wishes), call)
  } catch (error) {
    if (error instanceof ProviderError) return { failure: error.failure, heard }
    throw error
  }
  throw new Error('The sandbox succeeded')
}

const ANSWERED = ['DISPATCHED', 'HEADERS', 'BODY_DONE']

describe.each<[string, Partial<Failure>, string[]]>([
  ['moderation', { kind: 'rejected', code: 'MODERATION_BLOCKED', charged: 'NO', httpStatus: 400 }, ANSWERED],
  [
    'busy',
    { kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO', httpStatus: 429, retryAfterMs: 1000 },
    ANSWERED,
  ],
  ['quota', { kind: 'refused', code: 'PROVIDER_QUOTA', charged: 'NO', httpStatus: 429 }, ANSWERED],
  ['reject', { kind: 'rejected', code: 'PROVIDER_REJECTED', charged: 'NO', httpStatus: 400 }, ANSWERED],
  ['broken', { kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'NO', httpStatus: 500 }, ANSWERED],
  ['unreached', { kind: 'unreached', code: 'PROVIDER_UNREACHABLE', charged: 'NO' }, []],
  ['vanish', { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' }, ['DISPATCHED']],
])('in the mood %s', (mood, expected, phases) => {
  test('it fails in that way and no other', async () => {
    const { failure, heard } = await failWith({}, { scenario: mood })
    expect(failure).toMatchObject(expected)
    expect(heard.wire.map((seen) => seen.phase)).toEqual(phases)
  })

  test('so does a prompt that asks for it, whatever the configuration', async () => {
    const { failure } = await failWith({ prompt: `a fox [sandbox:${mood}]` }, { scenario: 'ok' })
    expect(failure).toMatchObject(expected)
  })
})

test('names the upstream request of an answered failure', async () => {
  const { failure, heard } = await failWith({}, { scenario: 'broken' })
  expect(failure.providerRequestId).toBe('sandbox-attempt-1')
  expect(heard.wire[1]).toEqual({ phase: 'HEADERS', httpStatus: 500, providerRequestId: 'sandbox-attempt-1' })
})

test('a stall ends when it is aborted, at once, and its outcome is unknown', async () => {
  const stopping = new AbortController()
  const { call, heard } = await openCall(stopping.signal)
  const stalled = openSandbox({ scenario: 'stall', durationMs: 0 }).submit(orderOf(), call)
  const early = await Promise.race([
    stalled,
    new Promise((resolve) => setImmediate(resolve, 'still waiting')),
  ])
  expect(early).toBe('still waiting')
  expect(heard.wire).toEqual([{ phase: 'DISPATCHED' }])
  const before = performance.now()
  stopping.abort()
  await expect(stalled).rejects.toMatchObject({
    failure: { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' },
  })
  expect(performance.now() - before).toBeLessThan(500)
})

test('an abort while it paints or waits ends the call at once, with no picture', async () => {
  const stopping = new AbortController()
  const { call, heard } = await openCall(stopping.signal)
  const painting = {
    ...call,
    onWire: (...seen: Parameters<typeof call.onWire>) => {
      call.onWire(...seen)
      setImmediate(() => stopping.abort())
    },
  }
  const before = performance.now()
  const failing = openSandbox({ durationMs: 60_000 }).submit(orderOf(), painting)
  await expect(failing).rejects.toMatchObject({ failure: { kind: 'lost', charged: 'UNKNOWN' } })
  expect(performance.now() - before).toBeLessThan(2000)
  expect(heard.wire).toEqual([{ phase: 'DISPATCHED' }])
  await expect(access(call.newFile())).rejects.toThrow('ENOENT')
})

test('a call that was aborted before it began sends nothing', async () => {
  const { failure, heard } = await failWith({}, {}, AbortSignal.abort())
  expect(failure).toMatchObject({ kind: 'unreached', charged: 'NO' })
  expect(heard.wire).toEqual([])
})

test('a size that is none is refused before anything is sent', async () => {
  const { failure, heard } = await failWith({ size: 'huge' }, {})
  expect(failure).toMatchObject({ kind: 'rejected', charged: 'NO' })
  expect(heard.wire).toEqual([])
})

test('a prompt may ask for success where the configuration says failure', async () => {
  const { images } = await develop({ prompt: 'a fox [sandbox:ok]' }, { scenario: 'broken' })
  expect(images).toHaveLength(1)
})

describe('directions', () => {
  const usual = { scenario: 'ok', durationMs: 3000 } as const

  test('are taken out of the prompt, the last one winning', () => {
    expect(
      readDirections('a fox [sandbox:busy] at dusk [sandbox:duration=200] [SANDBOX:Vanish]', usual),
    ).toEqual({
      scenario: 'vanish',
      durationMs: 200,
      prompt: 'a fox at dusk',
    })
  })

  test('leave a word that is none where it stands', () => {
    const prompt = 'a fox [sandbox:fast] [other:busy]'
    expect(readDirections(prompt, usual)).toEqual({ ...usual, prompt })
  })

  test.each(Object.keys(SANDBOX_DIRECTIVES))('%s is understood as documented', (directive) => {
    const { prompt } = readDirections(`a fox ${directive}`, { scenario: 'ok', durationMs: 3000 })
    expect(prompt).toBe('a fox')
  })

  test('[sandbox:slow] takes half a minute, and no duration more than ten', () => {
    expect(readDirections('[sandbox:slow]', usual).durationMs).toBe(30_000)
    expect(readDirections('[sandbox:duration=999999]', usual).durationMs).toBe(600_000)
  })
})
