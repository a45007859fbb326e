import { sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { DELIVERY_FAILURES, DELIVERY_STATES, WEBHOOK_EVENTS, type WebhookEvent } from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'

/** The tables of what is told to others. */
export function createWebhookTables(
  { table, text, word, integer, bigint, json, index, uniqueIndex, primaryKey, check }: Kit,
  { projects, tasks }: Record<'projects' | 'tasks', { id: AnyPgColumn }>,
) {
  /** Addresses that a project wants told about its tasks. One that was deleted stays for the history, without its secret. */
  const webhookEndpoints = table(
    'webhook_endpoints',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id')
        .notNull()
        .references(() => projects.id),
      url: text('url').notNull(),
      /** Null for all events. */
      events: json('events').$type<WebhookEvent[]>(),
      description: text('description'),
      /** As it was shown, `whsec_…`: signing needs it, so it cannot be kept as a hash. Null once deleted. */
      secret: text('secret'),
      createdAt: bigint('created_at').notNull(),
      /** When it answered that it is gone. */
      disabledAt: bigint('disabled_at'),
      deletedAt: bigint('deleted_at'),
    },
    (t) => [
      index('webhook_endpoints_of_project').on(t.projectId, t.id),
      check('webhook_endpoints_secret', sql`(${t.secret} is null) = (${t.deletedAt} is not null)`),
    ],
  )

  /** The outbox: what happened, on its way to one address. Written in the transaction of the event that it tells. */
  const webhookDeliveries = table(
    'webhook_deliveries',
    {
      /** Also the `webhook-id` of every try. */
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      /** Null when it goes to the task's own callback address. */
      endpointId: text('endpoint_id').references(() => webhookEndpoints.id),
      taskId: text('task_id')
        .notNull()
        .references(() => tasks.id),
      /** The number of the event that it tells in the task's log. */
      seq: bigint('seq').notNull(),
      event: word('event', WEBHOOK_EVENTS).notNull(),
      url: text('url').notNull(),
      /** What may hold up each other: the webhook, or all callback addresses of one origin. */
      slot: text('slot').notNull(),
      /** The body, the same in every try. */
      payload: text('payload').notNull(),
      state: word('state', DELIVERY_STATES).notNull(),
      /** How many tries there were, and how many of them since it was last put on its way. */
      tries: integer('tries').notNull().default(0),
      step: integer('step').notNull().default(0),
      /** Not before this moment, in the database's time. */
      nextAt: bigint('next_at').notNull(),
      leaseOwner: text('lease_owner'),
      /** Grows with every claim, as an attempt's does. */
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
      index('webhook_deliveries_of_task').on(t.taskId),
      check('webhook_deliveries_event', oneOf(t.event, WEBHOOK_EVENTS)),
      check('webhook_deliveries_state', oneOf(t.state, DELIVERY_STATES)),
      check(
        'webhook_deliveries_finished',
        sql`(${t.finishedAt} is null) = (${t.state} = 'PENDING') and (${t.state} = 'PENDING' or ${t.leaseOwner} is null)`,
      ),
    ],
  )

  /** Each try of a delivery, append-only. */
  const webhookTries = table(
    'webhook_tries',
    {
      deliveryId: text('delivery_id')
        .notNull()
        .references(() => webhookDeliveries.id),
      /** 1 for a delivery's first try, then 2, 3 … */
      number: integer('number').notNull(),
      /** When it began, and how long it took. */
      at: bigint('at').notNull(),
      durationMs: integer('duration_ms').notNull(),
      /** Null when no answer came. */
      httpStatus: integer('http_status'),
      /** Null when it succeeded. */
      failure: word('failure', DELIVERY_FAILURES),
    },
    (t) => [
      primaryKey({ columns: [t.deliveryId, t.number] }),
      check('webhook_tries_failure', sql`${t.failure} is null or ${oneOf(t.failure, DELIVERY_FAILURES)}`),
    ],
  )

  return { webhookEndpoints, webhookDeliveries, webhookTries }
}
