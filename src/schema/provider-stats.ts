import { findLastError, readStats, type ProviderStats } from '../db/providers/stats.ts'
import type { TaskError } from '../domain.ts'
import { badInput } from '../errors.ts'
import { builder } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { ProviderRef } from './provider.ts'

const DEFAULT_MINUTES = 60
const MAX_MINUTES = 1440

const ProviderErrorRef = builder.objectRef<{ at: number; error: TaskError }>('ProviderError').implement({
  description: 'A failure of an attempt at a provider.',
  fields: (t) => ({
    at: t.field({
      type: 'DateTime',
      description: 'Time at which the attempt failed.',
      resolve: ({ at }) => at,
    }),
    code: t.field({
      type: enums.TaskErrorCode,
      description: 'Cause, as in `TaskError.code`.',
      resolve: ({ error }) => error.code,
    }),
    message: t.string({
      description: "Cause as a sentence, with the provider's words if there are any.",
      resolve: ({ error }) => error.message,
    }),
  }),
})

type Stats = ProviderStats & { provider: string; since: number }

const ProviderStatsRef = builder.objectRef<Stats>('ProviderStats').implement({
  description: 'Attempts that were sent to a provider in the last minutes, by all projects.',
  fields: (t) => ({
    ...exposeAll(t, 'Int', {
      attempts: 'Number of attempts sent, including those in progress.',
      succeeded: 'Number of attempts whose images are stored.',
      failedUncharged: 'Number of attempts that ended without a result and provably were not charged.',
      unknown: 'Number of attempts that ended or were lost without proof whether they were charged.',
    }),
    ...exposeNullable(t, 'Int', {
      p50Ms:
        'Median time from sending to stored images, of the succeeded ones, in milliseconds. Null without one.',
      p95Ms: '95th percentile of the same times, in milliseconds. Null without a success.',
    }),
    lastError: t.field({
      type: ProviderErrorRef,
      nullable: true,
      description:
        "Latest failure of an attempt of the caller's project, for operators of any project. Null without one.",
      async resolve({ provider, since }, _, { caller, db, projectId }) {
        const ofProject = caller.operator ? null : projectId
        return (await findLastError(db.reports, provider, { since, projectId: ofProject })) ?? null
      },
    }),
  }),
})

builder.objectField(ProviderRef, 'stats', (t) =>
  t.field({
    type: ProviderStatsRef,
    description: 'Results and durations of the last minutes. Counted when selected.',
    complexity: 20,
    args: {
      lastMinutes: t.arg.int({
        defaultValue: DEFAULT_MINUTES,
        description: `Length of the period that ends now, 1 to ${MAX_MINUTES} minutes.`,
      }),
    },
    async resolve({ name }, { lastMinutes }, { db, clock }) {
      const minutes = lastMinutes ?? DEFAULT_MINUTES
      if (minutes < 1) throw badInput('lastMinutes', `lastMinutes is ${minutes}; the minimum is 1.`)
      if (minutes > MAX_MINUTES)
        throw badInput('lastMinutes', `lastMinutes is ${minutes}; the maximum is ${MAX_MINUTES}.`)
      const since = clock.now() - minutes * 60_000
      return { ...(await readStats(db.reports, name, since)), provider: name, since }
    },
  }),
)
