import { access } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ProviderError, type Failure } from '../../src/providers/error.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { readDirections, SANDBOX_DIRECTIVES } from '../../src/providers/sandbox/scenario.ts'
import { runRequest, openCall, openSandbox, requestOf, type Reports } from './sandbox-call.ts'

interface Failed {
  failure: Failure
  reports: Reports
}

async function failWith(
  overrides: Partial<ProviderRequest>,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Failed> {
  const { call, reports } = await openCall(signal)
  try {
    await openSandbox(options).submit(requestOf(overrides), call)
  } catch (error) {
    if (error instanceof ProviderError) return { failure: error.failure, reports }
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
    const { failure, reports } = await failWith({}, { scenario })
    expect(failure).toMatchObject(expected)
    expect(reports.wire.map((details) => details.phase)).toEqual(phases)
  })

  it('fails in this way when the prompt requests it', async () => {
    const { failure } = await failWith({ prompt: `a fox [sandbox:${scenario}]` }, { scenario: 'ok' })
    expect(failure).toMatchObject(expected)
  })
})

it('reports the request id of a failure with a response', async () => {
  const { failure, reports } = await failWith({}, { scenario: 'broken' })
  expect(failure.providerRequestId).toBe('sandbox-attempt-1')
  expect(reports.wire[1]).toEqual({
    phase: 'HEADERS',
    httpStatus: 500,
    providerRequestId: 'sandbox-attempt-1',
  })
})

it('ends a stalled call as soon as it is aborted, with an unknown outcome', async () => {
  const stopping = new AbortController()
  const { call, reports } = await openCall(stopping.signal)
  const stalled = openSandbox({ scenario: 'stall', durationMs: 0 }).submit(requestOf(), call)
  const early = await Promise.race([
    stalled,
    new Promise((resolve) => setImmediate(resolve, 'still waiting')),
  ])
  expect(early).toBe('still waiting')
  expect(reports.wire).toEqual([{ phase: 'DISPATCHED' }])
  stopping.abort()
  await expect(stalled).rejects.toMatchObject({
    failure: { kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' },
  })
})

it('ends the call without an image when it is aborted while painting or waiting', async () => {
  const stopping = new AbortController()
  const { call, reports } = await openCall(stopping.signal)
  const painting = {
    ...call,
    onWire: (...details: Parameters<typeof call.onWire>) => {
      call.onWire(...details)
      setImmediate(() => stopping.abort())
    },
  }
  const failing = openSandbox({ durationMs: 600_000 }).submit(requestOf(), painting)
  await expect(failing).rejects.toMatchObject({ failure: { kind: 'lost', charged: 'UNKNOWN' } })
  expect(reports.wire).toEqual([{ phase: 'DISPATCHED' }])
  await expect(access(call.newFile())).rejects.toThrow('ENOENT')
})

it('sends nothing when the call is aborted before it starts', async () => {
  const { failure, reports } = await failWith({}, {}, AbortSignal.abort())
  expect(failure).toMatchObject({ kind: 'unreached', charged: 'NO' })
  expect(reports.wire).toEqual([])
})

it('rejects a malformed size before anything is sent', async () => {
  const { failure, reports } = await failWith({ size: 'huge' }, {})
  expect(failure).toMatchObject({ kind: 'rejected', charged: 'NO' })
  expect(reports.wire).toEqual([])
})

it('succeeds when the prompt requests it, regardless of the configured scenario', async () => {
  const { images } = await runRequest({ prompt: 'a fox [sandbox:ok]' }, { scenario: 'broken' })
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

  it.each(SANDBOX_DIRECTIVES)('%s is known', (directive) => {
    const { prompt } = readDirections(`a fox ${directive}`, { scenario: 'ok', durationMs: 3000 })
    expect(prompt).toBe('a fox')
  })

  it('set the duration: [sandbox:slow] to 30 s, and any to at most 10 min', () => {
    expect(readDirections('[sandbox:slow]', usual).durationMs).toBe(30_000)
    expect(readDirections('[sandbox:duration=999999]', usual).durationMs).toBe(600_000)
  })
})
