import { sql } from 'drizzle-orm'
import {
  ASSET_KINDS,
  IMAGE_MIME_TYPES,
  OPERATIONS,
  TASK_STATUSES,
  type ImageRequest,
  type Limits,
  type ProjectRetention,
  type TaskError,
  type TaskEventBody,
  type Warning,
} from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'
import { createAccessTables } from './access.ts'
import { createAttemptTables } from './attempts.ts'
import { createCallTables } from './calls.ts'
import { createMoneyTables } from './money.ts'
import { createOriginTables } from './origins.ts'
import { createProviderTables } from './providers.ts'
import { createSearchTables } from './search.ts'
import { createWebhookTables } from './webhooks.ts'

/** CHECKs and partial unique indexes prevent invalid states. */
export function createTables(kit: Kit) {
  const { table, text, reference, word, integer, bigint, boolean, real, json } = kit
  const { index, uniqueIndex, primaryKey, check } = kit

  const projects = table(
    'projects',
    {
      id: text('id').primaryKey(),
      name: text('name').notNull(),
      /** Of the newest event in its feed. */
      feedSeq: bigint('feed_seq').notNull().default(0),
      /** For callback URLs; null until first used. */
      webhookSecret: text('webhook_secret'),
      /** Null: the defaults. */
      limits: json('limits').$type<Limits>(),
      retention: json('retention').$type<ProjectRetention>(),
      createdAt: bigint('created_at').notNull(),
    },
    (t) => [index('projects_oldest').on(t.createdAt, t.id)],
  )

  const tasks = table(
    'tasks',
    {
      id: text('id').primaryKey(),
      projectId: reference('project_id', () => projects.id),
      apiKeyId: text('api_key_id'),
      status: word('status', TASK_STATUSES).notNull(),
      operation: word('operation', OPERATIONS).notNull(),
      model: text('model').notNull(),
      /** Immutable but for its metadata; without content once the task is deleted. */
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
      favorite: boolean('favorite').notNull().default(false),
      /** Changes without an event, such as deleted images; part of the revision. */
      changes: bigint('changes').notNull().default(0),
      /** Then only what reports and the ledger need is left. */
      deletedAt: bigint('deleted_at'),
    },
    (t) => [
      uniqueIndex('tasks_idempotency')
        .on(t.projectId, t.idempotencyKey)
        .where(sql`${t.idempotencyKey} is not null`),
      // Lists never read deleted tasks. SQLite counts from the index alone if it has the column.
      index('tasks_newest')
        .on(t.projectId, t.createdAt, t.id, t.deletedAt)
        .where(sql`${t.deletedAt} is null`),
      index('tasks_by_status')
        .on(t.projectId, t.status, t.createdAt, t.id, t.deletedAt)
        .where(sql`${t.deletedAt} is null`),
      // Of ended tasks, by state.
      index('tasks_by_end')
        .on(t.projectId, t.status, t.finishedAt, t.id, t.deletedAt)
        .where(sql`${t.finishedAt} is not null and ${t.deletedAt} is null`),
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

  const { attempts } = createAttemptTables(kit, { tasks })

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
      /** Of an animation; as `ImageFacts`. */
      frames: integer('frames').notNull().default(1),
      durationMs: integer('duration_ms'),
      plays: integer('plays'),
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
      index('assets_newest').on(t.projectId, t.kind, t.createdAt, t.id),
      check('assets_kind', oneOf(t.kind, ASSET_KINDS)),
      check('assets_mime_type', oneOf(t.mimeType, IMAGE_MIME_TYPES)),
    ],
  )

  /** Keeps the address, which responds with 410, and the shares of the attempt's cost. */
  const deletedImages = table(
    'deleted_images',
    {
      id: text('id').primaryKey(),
      projectId: text('project_id').notNull(),
      taskId: reference('task_id', () => tasks.id),
      attemptId: text('attempt_id'),
      kind: word('kind', ASSET_KINDS).notNull(),
      position: integer('position').notNull(),
      deletedAt: bigint('deleted_at').notNull(),
    },
    (t) => [
      index('deleted_images_of_task').on(t.taskId),
      index('deleted_images_of_attempt')
        .on(t.attemptId)
        .where(sql`${t.attemptId} is not null`),
      check('deleted_images_kind', oneOf(t.kind, ASSET_KINDS)),
    ],
  )

  return {
    projects,
    tasks,
    attempts,
    events,
    assets,
    deletedImages,
    ...createAccessTables(kit, { projects }),
    ...createCallTables(kit),
    ...createMoneyTables(kit, { attempts }),
    ...createOriginTables(kit),
    ...createProviderTables(kit, { attempts }),
    ...createSearchTables(kit, { tasks }),
    ...createWebhookTables(kit, { projects, tasks }),
  }
}

export type Tables = ReturnType<typeof createTables>
export type ProjectRow = Tables['projects']['$inferSelect']
export type TaskRow = Tables['tasks']['$inferSelect']
export type AttemptRow = Tables['attempts']['$inferSelect']
export type EventRow = Tables['events']['$inferSelect']
export type AssetRow = Tables['assets']['$inferSelect']
export type DeletedImageRow = Tables['deletedImages']['$inferSelect']
export type EndpointRow = Tables['webhookEndpoints']['$inferSelect']
export type DeliveryRow = Tables['webhookDeliveries']['$inferSelect']
export type ApiKeyRow = Tables['apiKeys']['$inferSelect']
export type LedgerRow = Tables['ledger']['$inferSelect']
export type BudgetRow = Tables['budgets']['$inferSelect']
export type ResultAddressRow = Tables['resultAddresses']['$inferSelect']
export type TryRow = Tables['webhookTries']['$inferSelect']
export type CallRow = Tables['calls']['$inferSelect']
export type DataFolderRow = Tables['dataFolders']['$inferSelect']
