// A call to a provider, with its metrics and its span.
import type { AttemptRow } from '../../db/tables/tables.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Answer, Call } from '../../providers/provider.ts'
import type { Attributes } from '../../tracing.ts'
import type { AttemptContext } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'
import { findOffer, findProvider } from '../routing/configured.ts'

/** Calls in a span by OpenTelemetry's conventions for generative AI, and measures the time. Throws what `ask` throws. */
export async function instrumentedCall(
  deps: Pick<Deps, 'metrics' | 'providers' | 'tracing'>,
  as: 'submit' | 'check',
  { attempt, evidence }: AttemptContext,
  call: Call,
  ask: (call: Call) => Promise<Answer>,
): Promise<Answer> {
  const { provider, model, n } = attempt
  const end = deps.metrics.done.upstreamSeconds.startTimer({ call: as, provider, model })
  // An accepted attempt is checked even when its model has left the configuration.
  const upstreamModel = findOffer(deps.providers, provider, model)?.upstreamModel ?? model
  const name = as === 'submit' ? `${GENERATE} ${upstreamModel}` : `check ${upstreamModel}`
  const attributes = {
    ...attributesOf(attempt),
    'gen_ai.operation.name': as === 'submit' ? GENERATE : undefined,
    'gen_ai.output.type': 'image',
    'gen_ai.provider.name': findProvider(deps.providers, provider)?.dialect,
    'gen_ai.request.model': upstreamModel,
    'gen_ai.request.choice.count': n === 1 ? undefined : n,
  }
  return deps.tracing.span(name, { kind: 'CLIENT', attributes }, async (span) => {
    try {
      const traceparent = deps.tracing.upstreams ? (deps.tracing.here() ?? undefined) : undefined
      const answer = await ask({ ...call, traceparent })
      end({ outcome: answer.state.toLowerCase() })
      span.set(answerAttributes(answer))
      return answer
    } catch (error) {
      end({ outcome: error instanceof ProviderError ? error.failure.kind : 'bug' })
      if (error instanceof ProviderError)
        span.set({
          'error.type': error.failure.code,
          'darkroom.failure.kind': error.failure.kind,
          'darkroom.charged': error.failure.charged,
        })
      throw error
    } finally {
      span.set({
        'http.response.status_code': evidence.httpStatus,
        'darkroom.wire_phase': evidence.wirePhase,
      })
    }
  })
}

const GENERATE = 'generate_content'

/** The attempt of a span. */
export function attributesOf({ id, taskId, number, provider, model, state }: AttemptRow): Attributes {
  return {
    'darkroom.task.id': taskId,
    'darkroom.attempt.id': id,
    'darkroom.attempt.number': number,
    'darkroom.attempt.state': state,
    'darkroom.provider': provider,
    'darkroom.model': model,
  }
}

function answerAttributes(answer: Answer): Attributes {
  if (answer.state !== 'DONE') return { 'darkroom.answer': answer.state }
  const { inputTokens, outputTokens } = answer.usage
  return {
    'darkroom.answer': answer.state,
    'darkroom.images': answer.images.length,
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
  }
}
