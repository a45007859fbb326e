import { access } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { readDirections, SANDBOX_DIRECTIVES } from '../../src/providers/sandbox/scenario.ts'
import { develop, openCall, openSandbox, orderOf, type Heard } from './sandbox-call.ts'

interface Failed {
  failure: Failure
  heard: Heard
}

async function failWith(
  wishes: Partial<ProviderRequest>,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Failed> {
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
])('failure scenario %s', (scenario, expected, phases) => {
  it('fails in this way when configured', async () => {
    const { failure, heard } = await failWith({}, { scenario })
    expect(failure).toMatchObject(expected)
    expect(heard.wire.map((seen) => seen.phase)).toEqual(phases)
  })

  it('fails in this way when the prompt asks for it', async () => {
    const { failure } = await failWith({ prompt: `a fox [sandbox:${scenario}]` }, { scenario: 'ok' })
    expect(failure).toMatchObject(expected)
  })
})

it('reports the request id of an answered failure', async () => {
  const { failure, heard } = await failWith({}, { scenario: 'broken' })
  expect(failure.providerRequestId).toBe('sandbox-attempt-1')
  expect(heard.wire[1]).toEqual({ phase: 'HEADERS', httpStatus: 500, providerRequestId: 'sandbox-attempt-1' })
})

it('ends a stalled call as soon as it is aborted, with an unknown outcome', async () => {
  const stopping = new AbortController()
  const { call, heard } = await openCall(stopping.signal)
  const stalled = openSandbox({ scenario: 'stall', durationMs: 0 }).submit(orderOf(), call)
  const early = await Promise.race([
    stalled,
    new Promise((resolve) => setImmediate(resolve, 'still waiting')),
  ])
  expect(early).toBe('still waiting')
  expect(heard.wire).toEqual([{ phase: 'DISPATCHED' }])
  stopping.abort()
  await expect(stalled).rejects.toMatchObject({
    failure: { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' },
  })
})

it('ends the call without an image when it is aborted while painting or waiting', async () => {
  const stopping = new AbortController()
  const { call, heard } = await openCall(stopping.signal)
  const painting = {
    ...call,
    onWire: (...seen: Parameters<typeof call.onWire>) => {
      call.onWire(...seen)
      setImmediate(() => stopping.abort())
    },
  }
  const failing = openSandbox({ durationMs: 600_000 }).submit(orderOf(), painting)
  await expect(failing).rejects.toMatchObject({ failure: { kind: 'lost', charged: 'UNKNOWN' } })
  expect(heard.wire).toEqual([{ phase: 'DISPATCHED' }])
  await expect(access(call.newFile())).rejects.toThrow('ENOENT')
})

it('sends nothing when the call is aborted before it starts', async () => {
  const { failure, heard } = await failWith({}, {}, AbortSignal.abort())
  expect(failure).toMatchObject({ kind: 'unreached', charged: 'NO' })
  expect(heard.wire).toEqual([])
})

it('rejects a malformed size before anything is sent', async () => {
  const { failure, heard } = await failWith({ size: 'huge' }, {})
  expect(failure).toMatchObject({ kind: 'rejected', charged: 'NO' })
  expect(heard.wire).toEqual([])
})

it('succeeds when the prompt asks for it, whatever scenario is configured', async () => {
  const { images } = await develop({ prompt: 'a fox [sandbox:ok]' }, { scenario: 'broken' })
  expect(images).toHaveLength(1)
})

describe('directives', () => {
  const usual = { scenario: 'ok', durationMs: 3000 } as const

  it('are removed from the prompt, and the last one applies', () => {
    expect(
      readDirections('a fox [sandbox:busy] at dusk [sandbox:duration=200] [SANDBOX:Vanish]', usual),
    ).toEqual({
      scenario: 'vanish',
      durationMs: 200,
      prompt: 'a fox at dusk',
    })
  })

  it('stay in the prompt when unknown', () => {
    const prompt = 'a fox [sandbox:fast] [other:busy]'
    expect(readDirections(prompt, usual)).toEqual({ ...usual, prompt })
  })

  it.each(Object.keys(SANDBOX_DIRECTIVES))('%s is known', (directive) => {
    const { prompt } = readDirections(`a fox ${directive}`, { scenario: 'ok', durationMs: 3000 })
    expect(prompt).toBe('a fox')
  })

  it('set the duration: [sandbox:slow] to 30 s, and any to at most 10 min', () => {
    expect(readDirections('[sandbox:slow]', usual).durationMs).toBe(30_000)
    expect(readDirections('[sandbox:duration=999999]', usual).durationMs).toBe(600_000)
  })
})
