import type { AttemptRow } from '../../db/tables/tables.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Call, CallResult } from '../../providers/provider.ts'
import type { Attributes } from '../../tracing.ts'
import type { AttemptContext } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'
import { findOffer, findProvider } from '../routing/configured.ts'

/** Span attributes follow OpenTelemetry's conventions for generative AI. */
export async function instrumentedCall(
  deps: Deps,
  kind: 'submit' | 'check',
  { attempt, evidence }: AttemptContext,
  call: Call,
  run: (call: Call) => Promise<CallResult>,
): Promise<CallResult> {
  const { provider, model, n } = attempt
  const end = deps.metrics.providerCallSeconds.startTimer({ call: kind, provider, model })
  // A checked attempt's model may have left the configuration.
  const upstreamModel = findOffer(deps.providers, provider, model)?.upstreamModel ?? model
  const operation = kind === 'submit' ? 'generate_content' : undefined
  const attributes = {
    ...attributesOf(attempt),
    'gen_ai.operation.name': operation,
    'gen_ai.output.type': 'image',
    'gen_ai.provider.name': findProvider(deps.providers, provider)?.dialect,
    'gen_ai.request.model': upstreamModel,
    'gen_ai.request.choice.count': n === 1 ? undefined : n,
  }
  const name = `${operation ?? 'check'} ${upstreamModel}`
  return deps.tracing.span(name, { kind: 'CLIENT', attributes }, async (span) => {
    try {
      const traceparent = deps.tracing.propagates ? (deps.tracing.traceparent() ?? undefined) : undefined
      const result = await run({ ...call, traceparent })
      end({ outcome: result.state.toLowerCase() })
      if (result.state === 'PENDING' && result.unknownStatus !== undefined) {
        deps.metrics.unknownStatuses.inc({ provider })
        const status = result.unknownStatus.slice(0, 40)
        deps.log.debug({ attempt: attempt.id, status }, 'provider reported an unknown status')
      }
      span.set(resultAttributes(result))
      return result
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

function resultAttributes(result: CallResult): Attributes {
  if (result.state !== 'DONE') return { 'darkroom.call.result': result.state }
  const { inputTokens, outputTokens } = result.usage
  return {
    'darkroom.call.result': result.state,
    'darkroom.images': result.images.length,
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
  }
}
