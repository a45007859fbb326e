import { sql } from 'drizzle-orm'
import {
  ASSET_KINDS,
  ATTEMPT_STATES,
  CHARGES,
  IMAGE_MIME_TYPES,
  OPERATIONS,
  TASK_STATUSES,
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
import { createProviderTables } from './providers.ts'
import { createWebhookTables } from './webhooks.ts'

/** Every table, in the words of one database's kit. CHECKs and partial unique indexes make bad states unstorable. */
export function createTables(kit: Kit) {
  const { table, text, word, integer, bigint, real, json, index, uniqueIndex, primaryKey, check } = kit

  /** The tenant. One exists from the start; each has a feed of its own. */
  const projects = table('projects', {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    /** The last number given to an event of this project, in order of commit. */
    feedSeq: bigint('feed_seq').notNull().default(0),
    /** Signs what is posted to a task's own callback address; null until it is first needed. */
    webhookSecret: text('webhook_secret'),
    /** How much it may ask for at a time; null for no limits of its own. */
    limits: json('limits').$type<Limits>(),
    createdAt: bigint('created_at').notNull(),
  })

  const tasks = table(
    'tasks',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id')
        .notNull()
        .references(() => projects.id),
      /** The key it was asked with; null without one. */
      apiKeyId: text('api_key_id'),
      status: word('status', TASK_STATUSES).notNull(),
      operation: word('operation', OPERATIONS).notNull(),
      model: text('model').notNull(),
      /** What was asked, complete and validated; never changed. */
      request: json('request').$type<ImageRequest>().notNull(),
      /** SHA-256 of the input as it came, to tell a repeated request from a reused key. */
      fingerprint: text('fingerprint').notNull(),
      idempotencyKey: text('idempotency_key'),
      /** Charges each part of this task may ever have; raised only by an explicit permission. */
      maxCharges: integer('max_charges').notNull(),
      /** How many parts its images are asked for in: more than one when no provider makes so many at a time. */
      parts: integer('parts').notNull().default(1),
      /** Attempts whose charge is possible or certain: the permits taken. */
      chargesOpen: integer('charges_open').notNull().default(0),
      /** 0..1, never decreasing. */
      progress: real('progress').notNull().default(0),
      warnings: json('warnings').$type<Warning[]>().notNull(),
      error: json('error').$type<TaskError>(),
      /** The task this one repeats, when its owner asked for it again. */
      retryOf: text('retry_of'),
      /** The W3C traceparent that its attempts and deliveries go on from, in whichever process; null while nothing is traced. */
      traceparent: text('traceparent'),
      /** The number of the newest event in this task's log. */
      lastSeq: bigint('last_seq').notNull().default(0),
      cancelRequestedAt: bigint('cancel_requested_at'),
      createdAt: bigint('created_at').notNull(),
      /** When the first attempt was sent. */
      startedAt: bigint('started_at'),
      finishedAt: bigint('finished_at'),
    },
    (t) => [
      uniqueIndex('tasks_idempotency')
        .on(t.projectId, t.idempotencyKey)
        .where(sql`${t.idempotencyKey} is not null`),
      index('tasks_newest').on(t.projectId, t.createdAt, t.id),
      index('tasks_by_status').on(t.projectId, t.status, t.createdAt, t.id),
      // What a limit of tasks at a time counts.
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
      /** Also the reference we send upstream wherever there is a field for one. */
      id: text('id').primaryKey(),
      taskId: text('task_id')
        .notNull()
        .references(() => tasks.id),
      projectId: text('project_id').notNull(),
      /** Its task's. */
      apiKeyId: text('api_key_id'),
      /** 1 for a task's first attempt, then 2, 3 … */
      number: integer('number').notNull(),
      /** Which part of the task it is for, from 0. */
      part: integer('part').notNull().default(0),
      /** How many images it asks for, and the place of its first among the task's. */
      n: integer('n').notNull().default(1),
      firstImage: integer('first_image').notNull().default(0),
      provider: text('provider').notNull(),
      model: text('model').notNull(),
      state: word('state', ATTEMPT_STATES).notNull(),
      charged: word('charged', CHARGES).notNull().default('NO'),
      /** Not before this moment, in the database's time. */
      runAfter: bigint('run_after').notNull(),
      leaseOwner: text('lease_owner'),
      /** Grows with every claim: the fence that keeps a worker given up for dead from writing. */
      leaseEpoch: integer('lease_epoch').notNull().default(0),
      /** In the database's time. */
      leaseUntil: bigint('lease_until'),
      remoteId: text('remote_id'),
      /** How often in a row the upstream did not know the remote id. */
      missingChecks: integer('missing_checks').notNull().default(0),
      /** SHA-256 of the secret in the address we gave the upstream to call back; null where it was given none. */
      callbackSha256: text('callback_sha256'),
      wirePhase: word('wire_phase', WIRE_PHASES).notNull().default('NONE'),
      httpStatus: integer('http_status'),
      providerRequestId: text('provider_request_id'),
      error: json('error').$type<TaskError>(),
      /** What the upstream chose where the request said auto. */
      resolved: json('resolved').$type<Record<string, string>>(),
      inputTokens: integer('input_tokens'),
      outputTokens: integer('output_tokens'),
      totalTokens: integer('total_tokens'),
      inputTextTokens: integer('input_text_tokens'),
      inputImageTokens: integer('input_image_tokens'),
      outputTextTokens: integer('output_text_tokens'),
      outputImageTokens: integer('output_image_tokens'),
      usageSource: word('usage_source', USAGE_SOURCES).notNull().default('UNKNOWN'),
      /** How many images it brought. */
      images: integer('images').notNull().default(0),
      /** The most it could cost, held from the start until its cost is known; null when there is no price. */
      heldMicros: bigint('held_micros'),
      /** Null means unknown, never free. */
      costMicros: bigint('cost_micros'),
      /** The price table the cost was computed with. */
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
      // The same, for projects to take turns.
      index('attempts_due_by_project')
        .on(t.provider, t.projectId, t.runAfter, t.id)
        .where(sql`${t.state} in ('PLANNED', 'ACCEPTED')`),
      index('attempts_unknown')
        .on(t.projectId, t.sentAt, t.id)
        .where(sql`${t.state} = 'UNKNOWN'`),
      // What the provider's bill has to tell.
      index('attempts_unpriced')
        .on(t.projectId, t.finishedAt, t.id)
        .where(sql`${t.finishedAt} is not null and ${t.costMicros} is null and ${t.charged} <> 'NO'`),
      index('attempts_leases')
        .on(t.leaseUntil)
        .where(sql`${t.leaseUntil} is not null`),
      check('attempts_state', oneOf(t.state, ATTEMPT_STATES)),
      check('attempts_charged', oneOf(t.charged, CHARGES)),
      check('attempts_wire_phase', oneOf(t.wirePhase, WIRE_PHASES)),
      // Once a byte may have left, a charge is possible until something proves otherwise; before, it is not.
      check(
        'attempts_open_charge',
        sql`${t.state} not in ('SENDING', 'ACCEPTED', 'UNKNOWN') or ${t.charged} = 'UNKNOWN'`,
      ),
      check(
        'attempts_no_charge',
        sql`${t.state} not in ('PLANNED', 'LEASED', 'NOT_SENT', 'REJECTED', 'CANCELED') or ${t.charged} = 'NO'`,
      ),
      check('attempts_paid', sql`${t.state} <> 'SUCCEEDED' or ${t.charged} = 'YES'`),
      check(
        'attempts_leased',
        sql`${t.state} not in ('LEASED', 'SENDING') or (${t.leaseOwner} is not null and ${t.leaseUntil} is not null)`,
      ),
      check('attempts_accepted', sql`${t.state} <> 'ACCEPTED' or ${t.remoteId} is not null`),
      index('attempts_by_time').on(t.projectId, t.createdAt),
      check('attempts_cost', sql`${t.costMicros} is null or ${t.costMicros} >= 0`),
    ],
  )

  /** What happened, append-only. Numbered twice: within the task, and within the project's feed. */
  const events = table(
    'task_events',
    {
      taskId: text('task_id')
        .notNull()
        .references(() => tasks.id),
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

  /** One image of one task. The bytes live in the asset store under the hash. */
  const assets = table(
    'assets',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      taskId: text('task_id')
        .notNull()
        .references(() => tasks.id),
      /** Null for what the client sent in. */
      attemptId: text('attempt_id').references(() => attempts.id),
      kind: word('kind', ASSET_KINDS).notNull(),
      /** Place among the assets of one kind of one attempt (or of the request), from 0. */
      position: integer('position').notNull(),
      sha256: text('sha256').notNull(),
      byteSize: integer('byte_size').notNull(),
      mimeType: word('mime_type', IMAGE_MIME_TYPES).notNull(),
      width: integer('width').notNull(),
      height: integer('height').notNull(),
      /** Base64; null when it could not be made. */
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
export type TryRow = Tables['webhookTries']['$inferSelect']
