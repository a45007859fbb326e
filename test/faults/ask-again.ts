// A client that is asked to repeat a request, and does.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'

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
