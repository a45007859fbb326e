/** Must not contain prompts or credentials. */
export type Attributes = Record<string, string | number | boolean | null | undefined>

export interface Span {
  set(attributes: Attributes): void
}

export interface SpanOptions {
  /** INTERNAL by default. */
  kind?: 'SERVER' | 'CLIENT' | 'INTERNAL' | 'PRODUCER' | 'CONSUMER'
  /** Null starts a trace. The current span by default. */
  parent?: string | null
  attributes?: Attributes
}

export interface Tracing {
  readonly isEnabled: boolean
  /** Whether providers receive the traceparent. */
  readonly propagates: boolean
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>
  /** Null outside a recorded span. */
  traceparent(): string | null
  logFields(): Record<string, string>
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
