import { sql } from 'drizzle-orm'
import {
  ASSET_KINDS,
  ATTEMPT_STATES,
  CHARGES,
  IMAGE_MIME_TYPES,
  OPERATIONS,
  TASK_STATUSES,
  UNCERTAIN_CHARGES,
  USAGE_SOURCES,
  WIRE_PHASES,
  type ImageRequest,
  type Limits,
  type TaskError,
  type TaskEventBody,
  type Warning,
} from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'
import { createAccessTables } from './access.ts'
import { createMoneyTables } from './money.ts'
import { createOriginTables } from './origins.ts'
import { createProviderTables } from './providers.ts'
import { createWebhookTables } from './webhooks.ts'

/** CHECKs and partial unique indexes prevent invalid states. */
export function createTables(kit: Kit) {
  const { table, text, reference, word, integer, bigint, real, boolean, json } = kit
  const { index, uniqueIndex, primaryKey, check } = kit

  const projects = table('projects', {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    /** Of the newest event in its feed. */
    feedSeq: bigint('feed_seq').notNull().default(0),
    /** For callback URLs; null until first used. */
    webhookSecret: text('webhook_secret'),
    /** Null: the defaults. */
    limits: json('limits').$type<Limits>(),
    createdAt: bigint('created_at').notNull(),
  })

  const tasks = table(
    'tasks',
    {
      id: text('id').primaryKey(),
      projectId: reference('project_id', () => projects.id),
      apiKeyId: text('api_key_id'),
      status: word('status', TASK_STATUSES).notNull(),
      operation: word('operation', OPERATIONS).notNull(),
      model: text('model').notNull(),
      /** Immutable. */
      request: json('request').$type<ImageRequest>().notNull(),
      /** Tells a repeated request from a reused key. */
      fingerprint: text('fingerprint').notNull(),
      idempotencyKey: text('idempotency_key'),
      /** Per part; only an explicit permission raises it. */
      maxCharges: integer('max_charges').notNull(),
      /** Several if no provider makes all images in one call. */
      parts: integer('parts').notNull().default(1),
      /** Taken permits. */
      chargesOpen: integer('charges_open').notNull().default(0),
      /** 0..1, never decreasing. */
      progress: real('progress').notNull().default(0),
      warnings: json('warnings').$type<Warning[]>().notNull(),
      error: json('error').$type<TaskError>(),
      retryOf: text('retry_of'),
      /** W3C; attempts and deliveries continue it. */
      traceparent: text('traceparent'),
      /** Of the newest event in its log. */
      lastSeq: bigint('last_seq').notNull().default(0),
      cancelRequestedAt: bigint('cancel_requested_at'),
      createdAt: bigint('created_at').notNull(),
      startedAt: bigint('started_at'),
      finishedAt: bigint('finished_at'),
    },
    (t) => [
      uniqueIndex('tasks_idempotency')
        .on(t.projectId, t.idempotencyKey)
        .where(sql`${t.idempotencyKey} is not null`),
      index('tasks_newest').on(t.projectId, t.createdAt, t.id),
      index('tasks_by_status').on(t.projectId, t.status, t.createdAt, t.id),
      index('tasks_by_model').on(t.projectId, t.model, t.status, t.createdAt, t.id),
      index('tasks_open_of_key')
        .on(t.apiKeyId)
        .where(sql`${t.status} in ('QUEUED', 'RUNNING') and ${t.apiKeyId} is not null`),
      check('tasks_status', oneOf(t.status, TASK_STATUSES)),
      check('tasks_max_charges', sql`${t.maxCharges} between 1 and 5`),
      check('tasks_charges_open', sql`${t.chargesOpen} between 0 and ${t.maxCharges} * ${t.parts}`),
      check(
        'tasks_finished',
        sql`(${t.finishedAt} is not null) = (${t.status} in ('SUCCEEDED', 'FAILED', 'CANCELED'))`,
      ),
    ],
  )

  const attempts = table(
    'attempts',
    {
      /** Also our reference at the provider. */
      id: text('id').primaryKey(),
      taskId: reference('task_id', () => tasks.id),
      projectId: text('project_id').notNull(),
      apiKeyId: text('api_key_id'),
      /** From 1. */
      number: integer('number').notNull(),
      /** From 0. */
      part: integer('part').notNull().default(0),
      n: integer('n').notNull().default(1),
      /** Index among the task's images. */
      firstImage: integer('first_image').notNull().default(0),
      provider: text('provider').notNull(),
      model: text('model').notNull(),
      state: word('state', ATTEMPT_STATES).notNull(),
      charged: word('charged', CHARGES).notNull().default('NO'),
      /** In the database's time. */
      runAfter: bigint('run_after').notNull(),
      leaseOwner: text('lease_owner'),
      /** The fencing epoch: grows with every claim. */
      leaseEpoch: integer('lease_epoch').notNull().default(0),
      /** In the database's time. */
      leaseUntil: bigint('lease_until'),
      /** Of the last claim: where a received answer is on disk. */
      dataFolderId: text('data_folder_id'),
      remoteId: text('remote_id'),
      /** Consecutive checks without the remote id at the provider; lookups while UNKNOWN. */
      missingChecks: integer('missing_checks').notNull().default(0),
      /** Consecutive checks that failed. */
      failedChecks: integer('failed_checks').notNull().default(0),
      /** Milliseconds since the submit in which the provider could not be asked. */
      unobservedMs: bigint('unobserved_ms').notNull().default(0),
      /** Of the secret in the callback URL. */
      callbackSha256: text('callback_sha256'),
      wirePhase: word('wire_phase', WIRE_PHASES).notNull().default('NONE'),
      httpStatus: integer('http_status'),
      providerRequestId: text('provider_request_id'),
      error: json('error').$type<TaskError>(),
      /** What `auto` became. */
      resolved: json('resolved').$type<Record<string, string>>(),
      inputTokens: integer('input_tokens'),
      outputTokens: integer('output_tokens'),
      totalTokens: integer('total_tokens'),
      inputTextTokens: integer('input_text_tokens'),
      inputImageTokens: integer('input_image_tokens'),
      outputTextTokens: integer('output_text_tokens'),
      outputImageTokens: integer('output_image_tokens'),
      usageSource: word('usage_source', USAGE_SOURCES).notNull().default('UNKNOWN'),
      images: integer('images').notNull().default(0),
      /** Worst case; null without a price. */
      heldMicros: bigint('held_micros'),
      /** Null: unknown, never free. */
      costMicros: bigint('cost_micros'),
      /** Posted until the cost is known, then null. */
      estimatedMicros: bigint('estimated_micros'),
      /** The setting of its provider that decided `charged`, where the evidence left it UNKNOWN. */
      chargePolicy: word('charge_policy', UNCERTAIN_CHARGES),
      /** Charged by a bill after its permit had been returned: no permit counts it. */
      billedWithoutPermit: boolean('billed_without_permit').notNull().default(false),
      priceVersion: text('price_version'),
      createdAt: bigint('created_at').notNull(),
      sentAt: bigint('sent_at'),
      finishedAt: bigint('finished_at'),
    },
    (t) => [
      uniqueIndex('attempts_number').on(t.taskId, t.number),
      uniqueIndex('attempts_one_live')
        .on(t.taskId, t.part)
        .where(sql`${t.state} in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED')`),
      uniqueIndex('attempts_remote')
        .on(t.provider, t.remoteId)
        .where(sql`${t.remoteId} is not null`),
      uniqueIndex('attempts_callback')
        .on(t.callbackSha256)
        .where(sql`${t.callbackSha256} is not null`),
      index('attempts_due')
        .on(t.provider, t.runAfter, t.id)
        .where(sql`${t.state} in ('PLANNED', 'ACCEPTED')`),
      // For fair scheduling between projects.
      index('attempts_due_by_project')
        .on(t.provider, t.projectId, t.runAfter, t.id)
        .where(sql`${t.state} in ('PLANNED', 'ACCEPTED')`),
      // Separate: downloads do not wait behind a long queue.
      index('attempts_fetching')
        .on(t.provider, t.projectId, t.runAfter, t.id)
        .where(sql`${t.state} = 'FETCHING'`),
      index('attempts_unknown')
        .on(t.projectId, t.sentAt, t.id)
        .where(sql`${t.state} = 'UNKNOWN'`),
      // Only a bill has their cost.
      index('attempts_unpriced')
        .on(t.projectId, t.finishedAt, t.id)
        .where(
          sql`${t.finishedAt} is not null and ${t.costMicros} is null and ${t.estimatedMicros} is null and ${t.charged} <> 'NO'`,
        ),
      index('attempts_estimated')
        .on(t.projectId, t.finishedAt, t.id)
        .where(sql`${t.estimatedMicros} is not null`),
      index('attempts_leases')
        .on(t.leaseUntil)
        .where(sql`${t.leaseUntil} is not null`),
      check('attempts_state', oneOf(t.state, ATTEMPT_STATES)),
      check('attempts_charged', oneOf(t.charged, CHARGES)),
      check('attempts_wire_phase', oneOf(t.wirePhase, WIRE_PHASES)),
      // A charge is possible once a byte may have been sent, until the outcome is known.
      check(
        'attempts_open_charge',
        sql`${t.state} not in ('SENDING', 'ACCEPTED', 'UNKNOWN') or ${t.charged} = 'UNKNOWN'`,
      ),
      check(
        'attempts_no_charge',
        sql`${t.state} not in ('PLANNED', 'LEASED', 'NOT_SENT', 'REJECTED', 'CANCELED') or ${t.charged} = 'NO'`,
      ),
      check('attempts_paid', sql`${t.state} not in ('SUCCEEDED', 'FETCHING') or ${t.charged} = 'YES'`),
      check(
        'attempts_leased',
        sql`${t.state} not in ('LEASED', 'SENDING') or (${t.leaseOwner} is not null and ${t.leaseUntil} is not null)`,
      ),
      check('attempts_accepted', sql`${t.state} <> 'ACCEPTED' or ${t.remoteId} is not null`),
      index('attempts_by_time').on(t.projectId, t.createdAt),
      check('attempts_cost', sql`${t.costMicros} is null or ${t.costMicros} >= 0`),
    ],
  )

  /** Append-only. Numbered in log and feed. */
  const events = table(
    'task_events',
    {
      taskId: reference('task_id', () => tasks.id),
      seq: bigint('seq').notNull(),
      projectId: text('project_id').notNull(),
      feedSeq: bigint('feed_seq').notNull(),
      body: json('body').$type<TaskEventBody>().notNull(),
      at: bigint('at').notNull(),
    },
    (t) => [
      primaryKey({ columns: [t.taskId, t.seq] }),
      uniqueIndex('task_events_feed').on(t.projectId, t.feedSeq),
    ],
  )

  /** Bytes are in the asset store. */
  const assets = table(
    'assets',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      taskId: reference('task_id', () => tasks.id),
      /** Null: input image. */
      attemptId: text('attempt_id').references(() => attempts.id),
      kind: word('kind', ASSET_KINDS).notNull(),
      /** Per kind, in its attempt or request. */
      position: integer('position').notNull(),
      sha256: text('sha256').notNull(),
      byteSize: integer('byte_size').notNull(),
      mimeType: word('mime_type', IMAGE_MIME_TYPES).notNull(),
      width: integer('width').notNull(),
      height: integer('height').notNull(),
      /** Base64. */
      thumbhash: text('thumbhash'),
      revisedPrompt: text('revised_prompt'),
      createdAt: bigint('created_at').notNull(),
    },
    (t) => [
      uniqueIndex('assets_of_attempt')
        .on(t.attemptId, t.kind, t.position)
        .where(sql`${t.attemptId} is not null`),
      index('assets_of_task').on(t.taskId, t.kind, t.position),
      index('assets_by_hash').on(t.sha256),
      check('assets_kind', oneOf(t.kind, ASSET_KINDS)),
      check('assets_mime_type', oneOf(t.mimeType, IMAGE_MIME_TYPES)),
    ],
  )

  return {
    projects,
    tasks,
    attempts,
    events,
    assets,
    ...createAccessTables(kit, { projects }),
    ...createMoneyTables(kit, { attempts }),
    ...createOriginTables(kit),
    ...createProviderTables(kit, { attempts }),
    ...createWebhookTables(kit, { projects, tasks }),
  }
}

export type Tables = ReturnType<typeof createTables>
export type ProjectRow = Tables['projects']['$inferSelect']
export type TaskRow = Tables['tasks']['$inferSelect']
export type AttemptRow = Tables['attempts']['$inferSelect']
export type EventRow = Tables['events']['$inferSelect']
export type AssetRow = Tables['assets']['$inferSelect']
export type EndpointRow = Tables['webhookEndpoints']['$inferSelect']
export type DeliveryRow = Tables['webhookDeliveries']['$inferSelect']
export type ApiKeyRow = Tables['apiKeys']['$inferSelect']
export type LedgerRow = Tables['ledger']['$inferSelect']
export type BudgetRow = Tables['budgets']['$inferSelect']
export type ResultAddressRow = Tables['resultAddresses']['$inferSelect']
export type TryRow = Tables['webhookTries']['$inferSelect']
export type DataFolderRow = Tables['dataFolders']['$inferSelect']
