// The arguments of the openai dialect in its tests, with a provider at the fake upstream.
import { onTestFinished } from 'vitest'
import type { Failure } from '../../src/providers/error.ts'
import { createOpenaiDialect } from '../../src/providers/openai/openai.ts'
import type { ProviderRequest, Provider } from '../../src/providers/provider.ts'
import { failureOf, openCall as open } from './call.ts'
import type { OpenaiUpstream } from './upstreams/openai.ts'

export { runRequest, inputOf, openCall, requestOf } from './call.ts'

export const openai = createOpenaiDialect({})

/** A provider named `openai` at the fake upstream, closed when the test ends. */
export function openOpenai(
  { url }: Pick<OpenaiUpstream, 'url'>,
  options: Record<string, unknown> = {},
): Provider {
  const entry = openai.options.parse({ baseUrl: url, apiKey: 'sk-test-key', ...options })
  const provider = openai.create('openai', entry)
  onTestFinished(() => provider.close())
  return provider
}

/** Submits and expects a ProviderError. */
export async function expectFailure(
  provider: Provider,
  request: ProviderRequest,
  signal?: AbortSignal,
): Promise<Failure> {
  const { call } = await open(signal && { signal })
  return failureOf(provider.submit(request, call))
}
