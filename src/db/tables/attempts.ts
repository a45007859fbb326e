import { sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import {
  ATTEMPT_STATES,
  CHARGES,
  UNCERTAIN_CHARGES,
  USAGE_SOURCES,
  WIRE_PHASES,
  type TaskError,
} from '../../domain.ts'
import { oneOf, type Kit } from './kit.ts'

/** Also the queue. */
export function createAttemptTables(kit: Kit, { tasks }: Record<'tasks', { id: AnyPgColumn }>) {
  const { table, text, reference, word, integer, bigint, boolean, json } = kit
  const { index, uniqueIndex, check } = kit

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
      /** Consecutive checks that missed the remote id; lookups while UNKNOWN. */
      missingChecks: integer('missing_checks').notNull().default(0),
      /** Consecutive checks that failed. */
      failedChecks: integer('failed_checks').notNull().default(0),
      /** Since the submit, while the provider could not be asked. */
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
      /** Of the author of an SVG. */
      svgInputTokens: integer('svg_input_tokens'),
      svgOutputTokens: integer('svg_output_tokens'),
      svgReasoningTokens: integer('svg_reasoning_tokens'),
      usageSource: word('usage_source', USAGE_SOURCES).notNull().default('UNKNOWN'),
      images: integer('images').notNull().default(0),
      /** Worst case; null without a price. */
      heldMicros: bigint('held_micros'),
      /** Null: unknown, never free. */
      costMicros: bigint('cost_micros'),
      /** Part of the computed cost, for the author of an SVG. */
      svgCostMicros: bigint('svg_cost_micros'),
      /** Posted until the cost is known, then null. */
      estimatedMicros: bigint('estimated_micros'),
      /** The provider's setting that decided `charged` when the evidence left it UNKNOWN. */
      chargePolicy: word('charge_policy', UNCERTAIN_CHARGES),
      /** Charged by a bill after its permit was returned: no permit counts it. */
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
      // Separate: downloads do not wait for a long queue.
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
      // The same three, of one provider.
      index('attempts_unknown_of_provider')
        .on(t.projectId, t.provider, t.sentAt, t.id)
        .where(sql`${t.state} = 'UNKNOWN'`),
      index('attempts_unpriced_of_provider')
        .on(t.projectId, t.provider, t.finishedAt, t.id)
        .where(
          sql`${t.finishedAt} is not null and ${t.costMicros} is null and ${t.estimatedMicros} is null and ${t.charged} <> 'NO'`,
        ),
      index('attempts_estimated_of_provider')
        .on(t.projectId, t.provider, t.finishedAt, t.id)
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
      // For statistics of a provider.
      index('attempts_sent')
        .on(t.provider, t.sentAt)
        .where(sql`${t.sentAt} is not null`),
      // For the expected end.
      index('attempts_durations')
        .on(t.provider, t.model, t.finishedAt)
        .where(sql`${t.state} = 'SUCCEEDED'`),
      index('attempts_by_time').on(t.projectId, t.createdAt),
      check('attempts_cost', sql`${t.costMicros} is null or ${t.costMicros} >= 0`),
    ],
  )

  return { attempts }
}
