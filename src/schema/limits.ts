// What projects and keys may ask for at a time.
import type { Limits } from '../domain.ts'
import { ApiKeyRef } from './api-key.ts'
import { builder } from './builder.ts'
import { ProjectRef } from './project.ts'

const WORDS = {
  requestsPerMinute: 'GraphQL operations of any kind, over HTTP and WebSocket together.',
  tasksPerMinute: 'New tasks and retries; one that its idempotency key finds again is none.',
  concurrentTasks: 'Tasks that are QUEUED or RUNNING at the same time.',
  uploadBytesPerMinute: 'Bytes of the images that come with requests, addresses not fetched.',
} as const satisfies Record<keyof Limits, string>

const LimitsRef = builder.objectRef<Limits>('Limits').implement({
  description:
    'How much may be asked for at a time. Whoever asks for more is refused with RATE_LIMITED, and `extensions.retryAfter` ' +
    'says in how many seconds to ask again. A minute begins with the first use after the last one.',
  fields: (t) => ({
    requestsPerMinute: t.int({
      nullable: true,
      description: `${WORDS.requestsPerMinute} Null for no limit.`,
      resolve: (limits) => limits.requestsPerMinute,
    }),
    tasksPerMinute: t.int({
      nullable: true,
      description: `${WORDS.tasksPerMinute} Null for no limit.`,
      resolve: (limits) => limits.tasksPerMinute,
    }),
    concurrentTasks: t.int({
      nullable: true,
      description: `${WORDS.concurrentTasks} Null for no limit.`,
      resolve: (limits) => limits.concurrentTasks,
    }),
    uploadBytesPerMinute: t.int({
      nullable: true,
      description: `${WORDS.uploadBytesPerMinute} Null for no limit.`,
      resolve: (limits) => limits.uploadBytesPerMinute,
    }),
  }),
})

const LimitsInput = builder.inputType('LimitsInput', {
  description: 'How much may be asked for at a time; what is left out has no limit.',
  fields: (t) => ({
    requestsPerMinute: t.int({ description: WORDS.requestsPerMinute }),
    tasksPerMinute: t.int({ description: WORDS.tasksPerMinute }),
    concurrentTasks: t.int({ description: WORDS.concurrentTasks }),
    uploadBytesPerMinute: t.int({ description: WORDS.uploadBytesPerMinute }),
  }),
})

builder.objectField(ProjectRef, 'limits', (t) =>
  t.expose('limits', {
    type: LimitsRef,
    nullable: true,
    description:
      'What all its keys may ask for together; null when it has none of its own, and those in the configuration count.',
  }),
)

builder.objectField(ApiKeyRef, 'limits', (t) =>
  t.expose('limits', {
    type: LimitsRef,
    nullable: true,
    description: "What it may ask for, within its project's limits; null when it has none of its own.",
  }),
)

builder.mutationField('setLimits', (t) =>
  t.field({
    type: LimitsRef,
    nullable: true,
    description:
      'Sets all limits of a project or a key at once, on record. They count within 5 seconds, wherever it is connected. ' +
      'Projects are for operators.',
    extensions: { scope: 'ADMIN' },
    args: {
      owner: t.arg.id({ required: true, description: 'Of a project, prj_…, or of a key, key_….' }),
      limits: t.arg({
        type: LimitsInput,
        description: 'Null takes its own limits away: a project has those in the configuration then.',
      }),
    },
    resolve: (_, { owner, limits }, { engine, caller }) =>
      engine.setLimits(
        caller,
        owner,
        limits
          ? {
              requestsPerMinute: limits.requestsPerMinute ?? null,
              tasksPerMinute: limits.tasksPerMinute ?? null,
              concurrentTasks: limits.concurrentTasks ?? null,
              uploadBytesPerMinute: limits.uploadBytesPerMinute ?? null,
            }
          : null,
      ),
  }),
)
