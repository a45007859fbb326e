import { sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { DELIVERY_FAILURES, DELIVERY_STATES, WEBHOOK_EVENTS, type WebhookEvent } from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'

export function createWebhookTables(
  { table, text, reference, word, integer, bigint, json, index, uniqueIndex, primaryKey, check }: Kit,
  { projects, tasks }: Record<'projects' | 'tasks', { id: AnyPgColumn }>,
) {
  /** Deleted ones stay, without their secret. */
  const webhookEndpoints = table(
    'webhook_endpoints',
    {
      id: text('id').primaryKey(),
      projectId: reference('project_id', () => projects.id),
      url: text('url').notNull(),
      /** Null: all. */
      events: json('events').$type<WebhookEvent[]>(),
      description: text('description'),
      /** Not hashed: signing needs it. */
      secret: text('secret'),
      createdAt: bigint('created_at').notNull(),
      /** When it responded with 410. */
      disabledAt: bigint('disabled_at'),
      deletedAt: bigint('deleted_at'),
    },
    (t) => [
      index('webhook_endpoints_of_project').on(t.projectId, t.id),
      check('webhook_endpoints_secret', sql`(${t.secret} is null) = (${t.deletedAt} is not null)`),
    ],
  )

  /** The outbox: one event, one URL. */
  const webhookDeliveries = table(
    'webhook_deliveries',
    {
      /** Also the `webhook-id` header. */
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      /** Null: a task's callback URL. */
      endpointId: text('endpoint_id').references(() => webhookEndpoints.id),
      /** Null: a test. */
      taskId: text('task_id').references(() => tasks.id),
      /** In the task's log; 0 for a test. */
      seq: bigint('seq').notNull(),
      event: word('event', WEBHOOK_EVENTS).notNull(),
      url: text('url').notNull(),
      /** Webhook id, or the callback URL's origin. Limits concurrent tries. */
      slot: text('slot').notNull(),
      payload: text('payload').notNull(),
      state: word('state', DELIVERY_STATES).notNull(),
      tries: integer('tries').notNull().default(0),
      /** Back-off step: tries since the last restart. */
      step: integer('step').notNull().default(0),
      /** In the database's time. */
      nextAt: bigint('next_at').notNull(),
      leaseOwner: text('lease_owner'),
      /** The fencing epoch. */
      leaseEpoch: integer('lease_epoch').notNull().default(0),
      /** In the database's time. */
      leaseUntil: bigint('lease_until'),
      createdAt: bigint('created_at').notNull(),
      finishedAt: bigint('finished_at'),
    },
    (t) => [
      uniqueIndex('webhook_deliveries_once')
        .on(t.endpointId, t.taskId, t.seq)
        .where(sql`${t.endpointId} is not null`),
      uniqueIndex('webhook_deliveries_callback')
        .on(t.taskId, t.seq)
        .where(sql`${t.endpointId} is null`),
      index('webhook_deliveries_due')
        .on(t.nextAt, t.leaseUntil)
        .where(sql`${t.state} = 'PENDING'`),
      index('webhook_deliveries_slots')
        .on(t.slot, t.nextAt, t.id, t.leaseUntil)
        .where(sql`${t.state} = 'PENDING'`),
      index('webhook_deliveries_leases')
        .on(t.slot, t.leaseUntil)
        .where(sql`${t.state} = 'PENDING' and ${t.leaseUntil} is not null`),
      index('webhook_deliveries_newest').on(t.projectId, t.id),
      index('webhook_deliveries_by_state').on(t.projectId, t.state, t.id),
      index('webhook_deliveries_of_endpoint').on(t.endpointId, t.id),
      index('webhook_deliveries_of_endpoint_by_state').on(t.endpointId, t.state, t.id),
      index('webhook_deliveries_of_task').on(t.taskId),
      check('webhook_deliveries_event', oneOf(t.event, WEBHOOK_EVENTS)),
      check('webhook_deliveries_state', oneOf(t.state, DELIVERY_STATES)),
      check(
        'webhook_deliveries_finished',
        sql`(${t.finishedAt} is null) = (${t.state} = 'PENDING') and (${t.state} = 'PENDING' or ${t.leaseOwner} is null)`,
      ),
    ],
  )

  const webhookTries = table(
    'webhook_tries',
    {
      deliveryId: reference('delivery_id', () => webhookDeliveries.id),
      /** From 1. */
      number: integer('number').notNull(),
      at: bigint('at').notNull(),
      durationMs: integer('duration_ms').notNull(),
      /** Null: no response. */
      httpStatus: integer('http_status'),
      /** Null: success. */
      failure: word('failure', DELIVERY_FAILURES),
    },
    (t) => [
      primaryKey({ columns: [t.deliveryId, t.number] }),
      check('webhook_tries_failure', sql`${t.failure} is null or ${oneOf(t.failure, DELIVERY_FAILURES)}`),
    ],
  )

  return { webhookEndpoints, webhookDeliveries, webhookTries }
}
