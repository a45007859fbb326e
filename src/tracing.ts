/** Null and undefined are omitted. Must not contain prompts or credentials. */
export type Attributes = Record<string, string | number | boolean | null | undefined>

export interface Span {
  set(attributes: Attributes): void
}

export interface SpanOptions {
  /** INTERNAL by default. */
  kind?: 'SERVER' | 'CLIENT' | 'INTERNAL' | 'PRODUCER' | 'CONSUMER'
  /** W3C traceparent; null starts a trace. The current span by default. */
  parent?: string | null
  attributes?: Attributes
}

export interface Tracing {
  readonly isEnabled: boolean
  /** Whether provider requests have the traceparent. */
  readonly propagates: boolean
  /** An error marks the span as failed and is rethrown. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>
  /** Null outside a recorded span. */
  traceparent(): string | null
  /** `trace_id` and `span_id`; empty outside a span. */
  logFields(): Record<string, string>
  /** Sends all recorded spans. */
  close(): Promise<void>
}

export const noTracing: Tracing = {
  isEnabled: false,
  propagates: false,
  span: (_name, _options, work) => work({ set() {} }),
  traceparent: () => null,
  logFields: () => ({}),
  close: () => Promise.resolve(),
}
