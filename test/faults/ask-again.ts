// A client that is asked to repeat a request, and does.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import type { TestGateway } from '../support/gateway.ts'

const MUTATION = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'

export interface Answer {
  status: number
  retryAfter: string | null
  ms: number
  id?: string | undefined
  code?: string | undefined
  retryAfterS?: number | undefined
}

export async function generate(url: string, key: string): Promise<Answer> {
  const startedAt = performance.now()
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: MUTATION, variables: { input: { prompt: key, idempotencyKey: key } } }),
  })
  const { data, errors } = (await response.json()) as {
    data?: { generateImage: { task: { id: string } } | null } | null
    errors?: { extensions: { code: string; retryAfter?: number } }[]
  }
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    ms: performance.now() - startedAt,
    id: data?.generateImage?.task.id,
    code: errors?.[0]?.extensions.code,
    retryAfterS: errors?.[0]?.extensions.retryAfter,
  }
}

/** Repeats it, as a client does that is asked to. */
export async function generateAtLast(url: string, key: string): Promise<string> {
  for (;;) {
    const answer = await generate(url, key)
    if (answer.id !== undefined) return answer.id
    expectAskAgain([answer], 60_000)
    await pause(100)
  }
}

export function expectAskAgain(answers: readonly Answer[], maxMs = 5_500): void {
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE' })
    expect(answer.retryAfterS).toBeGreaterThanOrEqual(1)
    expect(answer.retryAfter).toBe(`${answer.retryAfterS}`)
    expect(answer.ms).toBeLessThan(maxMs)
  }
}

/** After one task was created. Returns how long it took until every request was accepted. */
export async function recover(server: TestGateway, keys: string[]): Promise<number> {
  const startedAt = performance.now()
  const ids = await Promise.all(keys.map((key) => generateAtLast(server.url, key)))
  const ms = performance.now() - startedAt
  expect(new Set(ids).size).toBe(keys.length)
  for (const id of ids) expect(await server.ended(id)).toEqual({ status: 'SUCCEEDED' })
  const { tasks } = await server.get<{ tasks: { nodes: unknown[] } }>(
    '{ tasks(first: 100) { nodes { id } } }',
  )
  // A request whose answer was lost is one task, however often it was repeated.
  expect(tasks.nodes).toHaveLength(keys.length + 1)
  return ms
}
