import { NO_LIMITS, type Limits } from '../domain.ts'
import { ApiKeyRef } from './api-key.ts'
import { badInput } from '../errors.ts'
import { builder } from './builder.ts'
import { exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { ProjectRef } from './project.ts'
import { requires } from './scopes.ts'

const DESCRIPTIONS = {
  requestsPerMinute:
    'Maximum of GraphQL operations per minute, over HTTP and WebSocket together. Null for no limit.',
  tasksPerMinute:
    'Maximum of new tasks and retries per minute. A replay by idempotency key does not count. Null for no limit.',
  concurrentTasks: 'Maximum of tasks that are QUEUED or RUNNING at the same time. Null for no limit.',
  uploadBytesPerMinute:
    'Maximum bytes of uploaded and data URL images per minute. Images fetched from a URL do not count. Null for no limit.',
} as const satisfies Record<keyof Limits, string>

const LimitsRef = builder.objectRef<Limits>('Limits').implement({
  description:
    'Rate and concurrency limits. A request beyond a limit fails with RATE_LIMITED, with `extensions.retryAfter` in seconds ' +
    'if waiting helps. A minute starts with the first use after the previous minute.',
  fields: (t) => {
    const { uploadBytesPerMinute, ...counts } = DESCRIPTIONS
    return { ...exposeNullable(t, 'Int', counts), ...exposeNullable(t, 'BigInt', { uploadBytesPerMinute }) }
  },
})

const LimitsInput = builder.inputType('LimitsInput', {
  description:
    'Rate and concurrency limits, each at least 0. An absent field stays as it is; null removes the limit.',
  fields: (t) => ({
    requestsPerMinute: t.int({ description: DESCRIPTIONS.requestsPerMinute }),
    tasksPerMinute: t.int({ description: DESCRIPTIONS.tasksPerMinute }),
    concurrentTasks: t.int({ description: DESCRIPTIONS.concurrentTasks }),
    uploadBytesPerMinute: t.field({ type: 'BigInt', description: DESCRIPTIONS.uploadBytesPerMinute }),
  }),
})

builder.objectFields(ProjectRef, (t) =>
  exposeNullable(t, LimitsRef, {
    limits: 'Limits for all keys of the project together. Null if the limits of the configuration apply.',
  }),
)

builder.objectFields(ApiKeyRef, (t) =>
  exposeNullable(t, LimitsRef, {
    limits: 'Limits of this key, besides those of its project. Null if it has none of its own.',
  }),
)

builder.objectField(ProjectRef, 'effectiveLimits', (t) =>
  t.field({
    type: LimitsRef,
    description: 'Limits that apply to the project: its own, else those of the configuration.',
    resolve: ({ limits }, _, { engine }) => limits ?? engine.defaultLimits ?? NO_LIMITS,
  }),
)

mutation('setLimits', {
  right: requires(
    'ADMIN',
    'Changes limits of a project or an API key. Applies within 5 seconds, to open connections as well. Audited. ' +
      'Errors: NOT_FOUND; FORBIDDEN for a project unless the caller is an operator.',
  ),
  input: {
    description: 'Owner, and the limits to change.',
    fields: (t) => ({
      owner: t.id({ required: true, description: 'Id of a project, prj_…, or of an API key, key_….' }),
      limits: t.field({
        type: LimitsInput,
        description:
          'Limits to change. Null removes all; the limits of the configuration then apply to a project. Required.',
      }),
    }),
  },
  async resolve({ owner, limits }, { engine, caller }) {
    if (limits === undefined) throw badInput('limits', 'limits is missing; write null to remove all limits.')
    return { limits: await engine.setLimits(caller, owner, limits) }
  },
  payload: (t) =>
    exposeNullable(t, LimitsRef, { limits: "The owner's own limits after the change. Null if it has none." }),
})
