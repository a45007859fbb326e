// Every setting, its default and its limits. Messages continue the sentence `PORT is "99999": …`.
import { z } from 'zod'
import { MIN_RETENTION } from '../engine/maintenance/retention.ts'
import { hostProblem } from './host.ts'
import {
  adminKeyProblem,
  databaseProblem,
  originProblem,
  publicUrlProblem,
  rangeProblem,
} from './setting-checks.ts'

/** From quiet to loud; `silent` writes nothing. */
const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

const ENGINE_SHAPE = z
  .strictObject({
    /** How many attempts one task may have, the first included. */
    maxAttempts: wholeNumber(1, 100).default(3),
    /** How long an attempt stays its worker's without a heartbeat; after that another may recover it. */
    leaseMs: wholeNumber(1_000, 3_600_000).default(30_000),
    /** How often a worker extends its leases. */
    heartbeatMs: wholeNumber(100, 3_600_000).default(10_000),
    /** How often leases that ran out are looked for. */
    reapMs: wholeNumber(100, 3_600_000).default(5_000),
    /** When an order whose answer was lost is looked for again where it can be found by our own id: so long after the first look. */
    lookAfterMs: z
      .array(wholeNumber(0, 86_400_000))
      .default([5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000]),
    /** How often due attempts and new events are looked for when no wake-up arrives. */
    pollMs: wholeNumber(10, 60_000).default(1_000),
    /** The least time between two progress events of one task. */
    progressEveryMs: wholeNumber(0, 60_000).default(500),
    /** How long stopping waits for calls under way before it lets go of them. */
    drainTimeoutMs: wholeNumber(0, 3_600_000).default(240_000),
  })
  .refine((tuning) => tuning.heartbeatMs * 2 <= tuning.leaseMs, {
    path: ['heartbeatMs'],
    error: 'it must be at most half of leaseMs, so that one missed heartbeat loses nothing',
  })

/** How the engine times itself; durations in milliseconds. The defaults suit upstreams that take 10 to 240 seconds. */
export type EngineTuning = Readonly<z.output<typeof ENGINE_SHAPE>>

const [HOUR, DAY, CENTURY] = [3_600_000, 86_400_000, 36_500 * 86_400_000]

const RETENTION_SHAPE = z
  .strictObject({
    /** The events of a task. Whoever comes back later with a cursor is told how the task stands instead. */
    eventsMs: wholeNumber(MIN_RETENTION.eventsMs, CENTURY)
      .nullable()
      .default(7 * DAY),
    /** Its previews. */
    previewsMs: wholeNumber(HOUR, CENTURY).nullable().default(DAY),
    /** Webhook deliveries and their tries. A delivery takes up to three days. */
    deliveriesMs: wholeNumber(MIN_RETENTION.deliveriesMs, CENTURY)
      .nullable()
      .default(30 * DAY),
    /** What providers posted about an attempt. */
    callbacksMs: wholeNumber(HOUR, CENTURY)
      .nullable()
      .default(7 * DAY),
  })
  .refine(({ eventsMs, previewsMs }) => eventsMs === null || (previewsMs ?? Infinity) <= eventsMs, {
    path: ['previewsMs'],
    // What is wrong by itself is told by itself.
    when: ({ issues }) => issues.length === 0,
    error: 'it must be at most eventsMs, because the events of a task lead to its previews',
  })

/** How long after its end a thing is kept, in milliseconds; null for ever. */
export type RetentionTimes = Readonly<z.output<typeof RETENTION_SHAPE>>

const MOST = 1_000_000_000_000

const LIMITS_SHAPE = z.strictObject({
  /** GraphQL operations, over HTTP and WebSocket alike. */
  requestsPerMinute: wholeNumber(1, MOST).nullable().default(null),
  tasksPerMinute: wholeNumber(1, MOST).nullable().default(null),
  /** Tasks that are queued or running at once. */
  concurrentTasks: wholeNumber(1, MOST).nullable().default(null),
  /** Of images that come with a request, decoded. */
  uploadBytesPerMinute: wholeNumber(1, MOST).nullable().default(null),
})

const PROVIDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The configuration as a file may write it. What else a provider's entry holds is its dialect's business. */
export const CONFIG_SHAPE = z.strictObject({
  port: wholeNumber(0, 65_535).default(4_000),
  host: text(hostProblem).default('127.0.0.1'),
  publicUrl: text(publicUrlProblem)
    .transform((url) => url.replace(/\/+$/, ''))
    .nullable()
    .default(null),
  /** The operator's own key: all rights on all projects. */
  adminKey: text(adminKeyProblem).nullable().default(null),
  dataDir: text((path) => (path === '' ? 'it must name a directory' : undefined)).default('./data'),
  databaseUrl: text(databaseProblem).nullable().default(null),
  logLevel: z.enum(LOG_LEVELS).default('info'),
  corsOrigins: z.array(text(originProblem)).default([]),
  /** The proxies whose X-Forwarded-… headers are believed. */
  trustedProxies: z.array(text(rangeProblem)).default([]),
  /** Whether the schema can be asked for. auto: on while only this machine is served. */
  introspection: z.enum(['auto', 'on', 'off']).default('auto'),
  /** Whether /metrics answers, and the process watches itself for it. */
  metrics: z.boolean().default(true),
  /** Whether calls to upstreams carry the traceparent of their task, as far as traces are recorded. */
  traceUpstreams: z.boolean().default(false),
  providers: z
    .array(
      z.looseObject({
        name: text((name) =>
          PROVIDER_NAME.test(name)
            ? undefined
            : 'it must be 1 to 64 letters, digits, dots, dashes or underscores, the first a letter or digit',
        ),
        dialect: z.string(),
      }),
    )
    .default([]),
  engine: ENGINE_SHAPE.prefault({}),
  retention: RETENTION_SHAPE.prefault({}),
  /** What each project may ask for at a time that has no limits of its own; null for as much as it likes. */
  limits: LIMITS_SHAPE.prefault({}),
})

/** A string for which `problemOf` has nothing to say. */
function text(problemOf: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = problemOf(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

/** A whole number, also as digits in a text: environment variables and `${…}` know no numbers. */
function wholeNumber(min: number, max: number) {
  const error = `it must be a whole number from ${min} to ${max}`
  return z.preprocess(digitsToNumber, z.int({ error }).min(min, { error }).max(max, { error }))
}

function digitsToNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
}
