import type { ProjectRetention } from '../domain.ts'
import { effectiveRetention } from '../engine/maintenance/retention.ts'
import { builder } from './builder.ts'
import { exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { ProjectRef } from './project.ts'
import { requires } from './scopes.ts'

const DESCRIPTIONS = {
  tasksMs: 'Tasks with their images and prompts, from their end, as by deleteTask. At least an hour.',
  eventsMs: 'Events of tasks, from the end of the task. At least an hour.',
  partialImagesMs:
    'Partial images, from the end of their task; at most `eventsMs` applies. At least an hour.',
  deliveriesMs: 'Webhook deliveries, from their end. At least 7 days.',
} as const satisfies Record<keyof ProjectRetention, string>

const RetentionRef = builder.objectRef<ProjectRetention>('Retention').implement({
  description:
    'How long records are kept, in milliseconds. Attempts, ledger and reports are kept forever. Null in `Project.retention` for ' +
    'the setting of the server, in `Project.effectiveRetention` for forever.',
  fields: (t) => exposeNullable(t, 'BigInt', DESCRIPTIONS),
})

builder.objectFields(ProjectRef, (t) => ({
  ...exposeNullable(t, RetentionRef, {
    retention: "The project's own retention. Null if the settings of the server apply.",
  }),
  effectiveRetention: t.field({
    type: RetentionRef,
    description: 'Retention that applies: its own, else that of the configuration.',
    resolve: ({ retention }, _, { engine }) => effectiveRetention(engine.serverRetention, retention),
  }),
}))

mutation('setRetention', {
  right: requires(
    'ADMIN',
    "Changes the retention of the caller's project. What is due is deleted within minutes, and cannot be restored. Audited. " +
      'Errors: BAD_USER_INPUT for a value out of range.',
  ),
  input: {
    description: 'Settings to change. An absent field stays; null returns to the setting of the server.',
    fields: (t) => ({
      tasksMs: t.field({ type: 'BigInt', description: `${DESCRIPTIONS.tasksMs} At most 100 years.` }),
      eventsMs: t.field({ type: 'BigInt', description: `${DESCRIPTIONS.eventsMs} At most 100 years.` }),
      partialImagesMs: t.field({
        type: 'BigInt',
        description: `${DESCRIPTIONS.partialImagesMs} At most 100 years.`,
      }),
      deliveriesMs: t.field({
        type: 'BigInt',
        description: `${DESCRIPTIONS.deliveriesMs} At most 100 years.`,
      }),
    }),
  },
  resolve: async (change, { engine, caller }) => ({ project: await engine.setRetention(caller, change) }),
  payload: (t) =>
    exposeNullable(t, ProjectRef, { project: 'The project, whose next sweep applies the change.' }),
})
