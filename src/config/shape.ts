// Defaults and limits. A message continues the sentence `PORT is "99999"; …`.
import { z } from 'zod'
import { s3UrlProblem } from '../assets/s3/settings.ts'
import { ESTIMATE_POLICIES } from '../engine/maintenance/unknown-cost.ts'
import { MAX_RETENTION_MS, MIN_RETENTION } from '../engine/maintenance/retention.ts'
import { parseDuration } from '../period.ts'
import {
  adminKeyProblem,
  cidrProblem,
  databaseUrlProblem,
  hostProblem,
  originProblem,
  publicUrlProblem,
} from './setting-checks.ts'

const ENGINE_SHAPE = z
  .strictObject({
    maxAttempts: wholeNumber(1, 100).default(3),
    leaseMs: wholeNumber(1_000, 3_600_000).default(30_000),
    heartbeatMs: wholeNumber(100, 3_600_000).default(10_000),
    reapMs: wholeNumber(100, 3_600_000).default(5_000),
    resendGraceMs: wholeNumber(0, 86_400_000).default(900_000),
    recheckMs: wholeNumber(10, 3_600_000).default(5_000),
    lookupDelaysMs: z
      .array(wholeNumber(0, 86_400_000))
      .default([5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000])
      .readonly(),
    maxCooldownMs: wholeNumber(1_000, 86_400_000).default(300_000),
    pollMs: wholeNumber(10, 60_000).default(1_000),
    progressIntervalMs: wholeNumber(0, 60_000).default(500),
    shutdownDelayMs: wholeNumber(0, 600_000).default(0),
    drainTimeoutMs: wholeNumber(0, 3_600_000).default(240_000),
  })
  .refine(({ heartbeatMs, leaseMs }) => heartbeatMs * 2 <= leaseMs, {
    path: ['heartbeatMs'],
    error: 'it must be at most half of leaseMs, so that one missed heartbeat does not lose the lease',
  })

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000]

const RETENTION_SHAPE = z
  .strictObject({
    tasksMs: retention(null),
    eventsMs: retention(7 * DAY_MS, MIN_RETENTION.eventsMs),
    partialImagesMs: retention(DAY_MS),
    deliveriesMs: retention(30 * DAY_MS, MIN_RETENTION.deliveriesMs),
    callbacksMs: retention(7 * DAY_MS),
  })
  .refine(({ eventsMs, partialImagesMs }) => eventsMs === null || (partialImagesMs ?? Infinity) <= eventsMs, {
    path: ['partialImagesMs'],
    // Values out of range are reported already.
    when: ({ issues }) => issues.length === 0,
    error: 'it must be at most eventsMs, because clients find partial images through events',
  })

const LIMITS_SHAPE = z.strictObject({
  requestsPerMinute: limit(),
  tasksPerMinute: limit(),
  concurrentTasks: limit(),
  uploadBytesPerMinute: limit(1_000_000_000_000),
})

const UNKNOWN_COST_SHAPE = z.strictObject({
  after: text((value) =>
    parseDuration(value) === undefined ? 'it must be hours, days or weeks such as 12h, 7d or 4w' : undefined,
  ).default('7d'),
  post: z.enum(ESTIMATE_POLICIES).default('KEEP'),
})

const REST_SHAPE = z.strictObject({
  attach: z.enum(['undelivered', 'retries', 'never']).default('undelivered'),
  undeliveredMs: wholeNumber(1_000, 86_400_000).default(900_000),
  waitMs: wholeNumber(1_000, 3_600_000).default(280_000),
  cancelOnHangup: z.enum(['queued', 'never']).default('queued'),
  hangupGraceMs: wholeNumber(0, 3_600_000).default(30_000),
  modelAliases: z.record(z.string(), z.string()).default({}).readonly(),
})

const PROVIDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** See input.ts. Dialects validate the other options of a provider. */
export const CONFIG_SHAPE = z.strictObject({
  port: wholeNumber(0, 65_535).default(4_000),
  host: text(hostProblem).default('127.0.0.1'),
  publicUrl: text(publicUrlProblem)
    .transform((url) => url.replace(/\/+$/, ''))
    .nullable()
    .default(null),
  adminKey: text(adminKeyProblem).nullable().default(null),
  dataDir: text((path) => (path === '' ? 'it must name a directory' : undefined)).default('./data'),
  databaseUrl: text(databaseUrlProblem).nullable().default(null),
  assetsUrl: text(s3UrlProblem).nullable().default(null),
  assetsDelivery: z.enum(['proxy', 'redirect']).default('proxy'),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  corsOrigins: z.array(text(originProblem)).default([]).readonly(),
  trustedProxies: z.array(text(cidrProblem)).default([]).readonly(),
  introspection: z.enum(['auto', 'on', 'off']).default('auto'),
  persistedQueries: z.enum(['off', 'auto', 'allow-list']).default('off'),
  persistedQueriesFile: text((path) => (path === '' ? 'it must name a file' : undefined))
    .nullable()
    .default(null),
  metrics: z.boolean().default(true),
  dashboard: z.boolean().default(true),
  traceUpstreams: z.boolean().default(false),
  providers: z
    .array(
      z.looseObject({
        name: text((name) =>
          PROVIDER_NAME.test(name)
            ? undefined
            : 'it must be 1 to 64 letters, digits, dots, dashes or underscores, and start with a letter or digit',
        ),
        dialect: z.string(),
      }),
    )
    .default([]),
  engine: ENGINE_SHAPE.prefault({}).readonly(),
  retention: RETENTION_SHAPE.prefault({}).readonly(),
  limits: LIMITS_SHAPE.prefault({}).readonly(),
  unknownCost: UNKNOWN_COST_SHAPE.prefault({}).readonly(),
  rest: REST_SHAPE.prefault({}).readonly(),
})

export type ConfigSettings = z.output<typeof CONFIG_SHAPE>

function text(problemOf: (value: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = problemOf(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

/** Also digits: environment variables are strings. */
function wholeNumber(min: number, max: number) {
  const error = `it must be a whole number from ${min} to ${max}`
  return z.preprocess(toNumber, z.int({ error }).min(min, { error }).max(max, { error }))
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
}

function retention(defaultMs: number | null, minMs = HOUR_MS) {
  return wholeNumber(minMs, MAX_RETENTION_MS).nullable().default(defaultMs)
}

/** Counts fit into the Int of GraphQL. */
function limit(max = 2_147_483_647) {
  return wholeNumber(1, max).nullable().default(null)
}
