// One trace per task, across processes. What records traces is loaded only where it is switched on; see src/telemetry.

/** What a span may say of itself; undefined and null leave an attribute out. Never a prompt, never a credential. */
export type Attributes = Record<string, string | number | boolean | null | undefined>

export interface Span {
  set(attributes: Attributes): void
}

export interface SpanOptions {
  /** SERVER takes a request in, CLIENT sends one, PRODUCER and CONSUMER stand at the ends of a queue; INTERNAL by default. */
  kind?: 'SERVER' | 'CLIENT' | 'INTERNAL' | 'PRODUCER' | 'CONSUMER'
  /** The W3C traceparent to go on from; null begins a trace. The span around this one by default. */
  parent?: string | null
  attributes?: Attributes
}

export interface Tracing {
  /** False where spans are recorded nowhere: what is only needed for them can be saved then. */
  readonly on: boolean
  /** Whether upstreams are told which trace their call belongs to. */
  readonly upstreams: boolean
  /** Runs `work` in a span that ends with it. What it throws marks the span as failed, by name or code, and is thrown on. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>
  /** The traceparent of the span around us; null outside of any, or when none is recorded. */
  here(): string | null
  /** The span around us as log lines name it: `trace_id` and `span_id`; empty outside of any. */
  ids(): Record<string, string>
  /** Hands over what was recorded, and records no more. */
  close(): Promise<void>
}

const SILENT: Span = { set() {} }

/** Records nothing, and costs a function call. */
export const untraced: Tracing = {
  on: false,
  upstreams: false,
  span: (_name, _options, work) => work(SILENT),
  here: () => null,
  ids: () => ({}),
  close: () => Promise.resolve(),
}
