import type { LedgerKind, LedgerSource } from '../domain.ts'
import type { LedgerRow } from '../db/tables/tables.ts'
import { AttemptRef } from './attempt.ts'
import { builder, describedEnum } from './builder.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { requires } from './scopes.ts'

const LedgerKindEnum = describedEnum<LedgerKind>('LedgerKind', {
  description: 'Effect of a ledger line on the cost of an attempt.',
  HOLD: 'The maximum cost, held when the attempt is queued.',
  POST: 'The actual or estimated cost, which replaces the held amount.',
  VOID: 'The attempt cost nothing, and the held amount is released.',
  ADJUST: 'A correction of the posted cost or the reversal of an estimate, as a difference.',
})

const LedgerSourceEnum = describedEnum<LedgerSource>('LedgerSource', {
  description: 'Where the amount of a ledger line comes from.',
  PRICE: 'Computed from the reported usage and a price table.',
  REPORTED: 'Reported by the provider with the result.',
  OPERATOR: 'Recorded by resolveAttempt or adjustCost.',
  BILL: 'Taken from a bill of the provider.',
  ESTIMATE:
    'Posted because the cost stayed unknown, or the reversal of that. Such lines sum to `Attempt.estimatedMicros`.',
})

const LedgerLineRef = builder.objectRef<LedgerRow>('LedgerLine').implement({
  description:
    'A line of the append-only ledger. The sum of POST and ADJUST lines is the cost of an attempt: known, or estimated if ' +
    'their source is ESTIMATE.',
  fields: (t) => ({
    ...exposeAll(t, LedgerKindEnum, {
      kind: 'Meaning of the amount. The first line of an attempt is its only HOLD.',
    }),
    ...exposeNullable(t, 'BigInt', {
      amountMicros:
        'Amount in micro-USD; negative only for ADJUST. Null for the HOLD or VOID of an attempt without a price.',
    }),
    ...exposeNullable(t, 'BigInt', {
      svgMicros: 'Part of a POST for the author of an SVG, in micro-USD. Null without one, and if unknown.',
    }),
    ...exposeNullable(t, 'String', {
      priceVersion:
        'Source and date of the price table used. Null without a price, for VOID, and for a cost that was reported or billed.',
    }),
    ...exposeNullable(t, LedgerSourceEnum, {
      source: 'Where the amount comes from. Null for HOLD and VOID, and in lines written before version 0.2.',
    }),
    ...exposeAll(t, 'DateTime', { at: 'Time at which the line was written.' }),
  }),
})

builder.objectFields(AttemptRef, (t) => ({
  ...exposeNullable(t, 'BigInt', {
    heldMicros:
      'Maximum cost in micro-USD, computed when it was queued. Budgets count it until the cost is known. Null without a price.',
  }),
  ledger: t.field({
    type: [LedgerLineRef],
    description: 'Amounts held, posted, voided and adjusted, oldest first.',
    complexity: { multiplier: 3 },
    resolve: ({ id }, _, { loaders }) => loaders.lines.load(id),
  }),
}))

mutation('adjustCost', {
  right: requires(
    'ADMIN',
    'Records the cost of an attempt as billed by the provider: a POST line if no cost was known, else an ADJUST line. ' +
      'It counts in the day and month in which the attempt was queued. Audited. Errors: NOT_FOUND; CONFLICT if the ' +
      'attempt has not ended, is UNKNOWN or was not charged.',
  ),
  input: {
    description: 'Id of the attempt, its billed cost and a note.',
    fields: (t) => ({
      attemptId: t.id({
        required: true,
        description: 'Id of an attempt, att_…, that is SUCCEEDED or FAILED.',
      }),
      costMicros: t.field({
        type: 'BigInt',
        required: true,
        description: 'Total cost in micro-USD, at least 0.',
      }),
      note: t.string({
        required: true,
        description: 'Source of the figure, such as the bill, for the audit log. 1 to 1000 characters.',
      }),
    }),
  },
  resolve: async ({ attemptId, costMicros, note }, { engine, caller }) => ({
    attempt: await engine.adjustCost(caller, attemptId, costMicros, note),
  }),
  payload: (t) => exposeNullable(t, AttemptRef, { attempt: 'The attempt, with the recorded cost.' }),
})
