import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { Failure } from '../../src/providers/error.ts'
import { downloadFailure, openCall } from './call.ts'
import { expectFailure, openOpenai, requestOf } from './openai-call.ts'
import type { CannedReply } from './upstreams/fake.ts'
import { startOpenaiUpstream, type OpenaiScenario, type OpenaiUpstream } from './upstreams/openai.ts'

let upstream: OpenaiUpstream
beforeAll(async () => {
  upstream = await startOpenaiUpstream()
})
afterAll(() => upstream.close())

const replies = join(import.meta.dirname, 'replies/openai')
const canned = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown(),
})

function recorded(name: string): CannedReply {
  const {
    status,
    headers = {},
    body,
  } = canned.parse(JSON.parse(readFileSync(join(replies, `${name}.json`), 'utf8')))
  return { status, headers, body }
}

async function fail(
  scenario: OpenaiScenario,
  options: Record<string, unknown> = {},
  overrides = {},
): Promise<Failure> {
  upstream.script(scenario)
  return expectFailure(openOpenai(upstream, options), requestOf(overrides))
}

const events = (...lines: string[]): CannedReply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: lines.map((line) => `${line}\n\n`).join(''),
})
const partial = `event: image_generation.partial_image\ndata: {"b64_json":"AAAA","partial_image_index":0}`
const errorEvent = (name: string) => `event: error\ndata: ${JSON.stringify(recorded(name).body)}`

type Row = [reply: string, kind: Failure['kind'], code: Failure['code'], charged: Failure['charged']]

const ROWS: Row[] = [
  ['moderation-blocked-input', 'rejected', 'MODERATION_BLOCKED', 'NO'],
  ['moderation-blocked-output', 'rejected', 'MODERATION_BLOCKED', 'UNKNOWN'],
  ['moderation-blocked', 'rejected', 'MODERATION_BLOCKED', 'UNKNOWN'],
  ['invalid-size', 'rejected', 'PROVIDER_REJECTED', 'NO'],
  ['unknown-parameter', 'rejected', 'PROVIDER_REJECTED', 'NO'],
  ['invalid-image-file', 'rejected', 'INPUT_IMAGE_INVALID', 'NO'],
  ['billing-hard-limit', 'refused', 'PROVIDER_QUOTA', 'NO'],
  ['insufficient-quota', 'refused', 'PROVIDER_QUOTA', 'NO'],
  ['credit-exhausted', 'refused', 'PROVIDER_QUOTA', 'NO'],
  ['spend-limit', 'refused', 'PROVIDER_QUOTA', 'NO'],
  ['invalid-api-key', 'refused', 'PROVIDER_MISCONFIGURED', 'NO'],
  ['unsupported-country', 'refused', 'PROVIDER_MISCONFIGURED', 'NO'],
  ['organization-not-verified', 'refused', 'PROVIDER_MISCONFIGURED', 'NO'],
  ['model-not-found', 'refused', 'PROVIDER_MISCONFIGURED', 'NO'],
  ['rate-limited', 'busy', 'PROVIDER_RATE_LIMITED', 'NO'],
  ['slow-down', 'busy', 'PROVIDER_RATE_LIMITED', 'NO'],
  ['overloaded', 'busy', 'PROVIDER_RATE_LIMITED', 'NO'],
  ['server-error', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN'],
]

describe('an error reply', () => {
  it.each(ROWS)('%s is %s, as %s, charged %s', async (reply, kind, code, charged) => {
    const failure = await fail(recorded(reply))
    expect(failure).toMatchObject({ kind, code, charged, httpStatus: recorded(reply).status })
    expect(failure.providerRequestId).toMatch(/^req_\d+$/)
    expect(failure.message).toMatch(/^openai [^<>]+\(status \d{3}[^()]*\)\.$/)
  })

  it('is recorded for every row, and every recording has a row', () => {
    const files = readdirSync(replies).filter((name) => name.endsWith('.json'))
    expect(files.map((name) => name.replace('.json', '')).sort()).toEqual(ROWS.map(([reply]) => reply).sort())
  })

  const STATUSES: [status: number, kind: Failure['kind'], charged: Failure['charged']][] = [
    [302, 'refused', 'NO'],
    [303, 'broken', 'UNKNOWN'],
    [400, 'rejected', 'NO'],
    [402, 'refused', 'NO'],
    [404, 'refused', 'NO'],
    [405, 'refused', 'NO'],
    [408, 'lost', 'UNKNOWN'],
    [409, 'lost', 'UNKNOWN'],
    [413, 'rejected', 'NO'],
    [422, 'rejected', 'NO'],
    [429, 'busy', 'NO'],
    [499, 'lost', 'UNKNOWN'],
    [500, 'lost', 'UNKNOWN'],
    [502, 'lost', 'UNKNOWN'],
    [503, 'lost', 'UNKNOWN'],
    [504, 'lost', 'UNKNOWN'],
    [524, 'lost', 'UNKNOWN'],
  ]
  it.each(STATUSES)('of status %i in plain text is %s, charged %s', async (status, kind, charged) => {
    expect(await fail({ status, body: '<h1>no</h1>' })).toMatchObject({ kind, charged, httpStatus: status })
  })

  it('of status 404 in the form of this API is about the request, not about the base URL', async () => {
    const body = {
      error: { message: 'No such image.', type: 'invalid_request_error', param: null, code: null },
    }
    expect(await fail({ status: 404, body })).toMatchObject({ kind: 'rejected', charged: 'NO' })
  })

  it('of status 500 is broken and uncharged with unbilledServerErrors', async () => {
    const failure = await fail(recorded('server-error'), { unbilledServerErrors: true })
    expect(failure).toMatchObject({ kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'NO' })
  })

  it('returns the wait that the upstream requests', async () => {
    expect((await fail(recorded('rate-limited'))).retryAfterMs).toBe(12_000)
    expect((await fail(recorded('overloaded'))).retryAfterMs).toBe(1500)
    expect((await fail(recorded('slow-down'))).retryAfterMs).toBeUndefined()
  })

  it('about the request has the upstream’s message', async () => {
    expect((await fail(recorded('invalid-size'))).message).toBe(
      "openai rejected the request: Invalid size '4096x4096'. The longest edge must be less than or equal to 3840" +
        ' (status 400, invalid_value, size).',
    )
  })

  it('about the account hides the message from the client and keeps it for the log, without the key', async () => {
    const limited = await fail(recorded('rate-limited'))
    expect(limited.message).not.toContain('org-AbC123')
    expect(String(limited.cause)).toContain('org-AbC123')
    const unauthorized = await fail(recorded('invalid-api-key'))
    expect(`${unauthorized.message} ${String(unauthorized.cause)}`).not.toContain('sk-test-key')
  })

  it('never shows the key, even if it is a plain word', async () => {
    const word = { error: { message: 'No such key: plainword.', type: 'x', param: 'plainword', code: null } }
    const server = await startOpenaiUpstream({ apiKey: 'plainword' })
    onTestFinished(() => server.close())
    server.script({ status: 400, body: word })
    const failure = await expectFailure(openOpenai(server, { apiKey: 'plainword' }), requestOf())
    expect(failure.message).toBe(
      'openai rejected the request: No such key: [redacted] (status 400, [redacted]).',
    )
    expect(String(failure.cause)).not.toContain('plainword')
  })
})

describe('a reply without an image', () => {
  it.each<[OpenaiScenario, Failure['kind'], Failure['code'], string]>([
    ['html', 'broken', 'PROVIDER_BROKEN', 'but its reply (text/html) is not JSON'],
    ['empty-data', 'broken', 'PROVIDER_BROKEN', 'has no image'],
    ['truncated', 'lost', 'OUTCOME_UNKNOWN', 'in the middle of its answer (status 200)'],
    ['reset-after-request', 'lost', 'OUTCOME_UNKNOWN', 'before it answered'],
    [{ status: 200, body: '' }, 'broken', 'PROVIDER_BROKEN', 'is not JSON'],
    [{ status: 204, body: '' }, 'broken', 'PROVIDER_BROKEN', 'is not JSON'],
    [{ status: 200, body: null }, 'broken', 'PROVIDER_BROKEN', 'has no image'],
    [{ status: 200, body: { data: 'soon' } }, 'broken', 'PROVIDER_BROKEN', 'has no image'],
    [{ status: 200, body: { data: [{ b64_json: '' }] } }, 'broken', 'PROVIDER_BROKEN', 'has no image'],
    [{ status: 200, body: { data: [{ b64_json: '%%%%' }] } }, 'broken', 'PROVIDER_BROKEN', 'has no image'],
    [{ status: 202, body: { id: 'task_1' } }, 'broken', 'PROVIDER_BROKEN', 'has no image'],
  ])('%j is %s, as %s, and may have been charged', async (scenario, kind, code, words) => {
    const failure = await fail(scenario)
    expect(failure).toMatchObject({ kind, code, charged: 'UNKNOWN' })
    expect(failure.message).toContain(words)
  })

  it('with an error keeps the code of the error, but may have been charged', async () => {
    const { body } = recorded('rate-limited')
    expect(await fail({ status: 200, body })).toMatchObject({
      kind: 'broken',
      code: 'PROVIDER_RATE_LIMITED',
      charged: 'UNKNOWN',
    })
  })

  it('with a link to a private address is a result that is not downloaded', async () => {
    const url = 'http://169.254.169.254/latest'
    upstream.script({ status: 200, body: { data: [{ url }] } })
    const provider = openOpenai(upstream)
    const { call } = await openCall()
    const result = await provider.submit(requestOf(), call)
    expect(result).toMatchObject({ state: 'DONE', images: [{ url }] })
    expect(await downloadFailure(provider, url, call)).toBe('FORBIDDEN')
  })
})

describe('a stream that fails', () => {
  it.each<[string, OpenaiScenario, Failure['kind'], Failure['code'], Failure['charged']]>([
    ['by ending without an image', 'eof-without-final', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN'],
    ['by an error after its partial images', 'stream-error', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN'],
    [
      'by a rate limit before anything',
      events(errorEvent('rate-limited')),
      'busy',
      'PROVIDER_RATE_LIMITED',
      'NO',
    ],
    [
      'by a rate limit after a partial image',
      events(partial, errorEvent('rate-limited')),
      'broken',
      'PROVIDER_RATE_LIMITED',
      'UNKNOWN',
    ],
    [
      'by a block of the prompt',
      events(errorEvent('moderation-blocked-input')),
      'rejected',
      'MODERATION_BLOCKED',
      'NO',
    ],
    [
      'by a block after a partial image',
      events(partial, errorEvent('moderation-blocked')),
      'rejected',
      'MODERATION_BLOCKED',
      'UNKNOWN',
    ],
    [
      'by an error without its name',
      events('data: {"error":{"code":"slow_down"}}'),
      'busy',
      'PROVIDER_RATE_LIMITED',
      'NO',
    ],
    [
      'by an error without its wrapper',
      events('event: error\ndata: {"code":"slow_down"}'),
      'busy',
      'PROVIDER_RATE_LIMITED',
      'NO',
    ],
    [
      'by an error without a message',
      events('event: error\ndata: oops'),
      'lost',
      'OUTCOME_UNKNOWN',
      'UNKNOWN',
    ],
    [
      'by an empty image',
      events('event: image_generation.completed\ndata: {"b64_json":""}'),
      'broken',
      'PROVIDER_BROKEN',
      'UNKNOWN',
    ],
    ['by [DONE] and nothing else', events('data: [DONE]'), 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN'],
  ])('%s is reported accordingly', async (_name, scenario, kind, code, charged) => {
    const failure = await fail(scenario, { mode: 'stream' }, { partialImages: 2 })
    expect(failure).toMatchObject({ kind, code, charged })
  })
})

it('a call without a reply is lost at the deadline', async () => {
  upstream.script('hang')
  const failure = await expectFailure(openOpenai(upstream), requestOf(), AbortSignal.timeout(100))
  expect(failure).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
})
