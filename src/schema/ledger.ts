import type { LedgerKind } from '../domain.ts'
import type { LedgerRow } from '../db/tables/tables.ts'
import { AttemptRef } from './attempt.ts'
import { builder, describedEnum } from './builder.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { requires } from './scopes.ts'

const LedgerKindEnum = describedEnum<LedgerKind>('LedgerKind', {
  description: 'Effect of a ledger line on the cost of an attempt.',
  HOLD: 'The maximum cost, held when the attempt is queued.',
  POST: 'The actual cost, which replaces the held amount.',
  VOID: 'The attempt cost nothing, and the held amount is released.',
  ADJUST: 'A correction of the posted cost, as a difference.',
})

const LedgerLineRef = builder.objectRef<LedgerRow>('LedgerLine').implement({
  description:
    'A line of the append-only ledger. The sum of POST and ADJUST lines is the cost of an attempt.',
  fields: (t) => ({
    ...exposeAll(t, LedgerKindEnum, {
      kind: 'Meaning of the amount. The first line of an attempt is its only HOLD.',
    }),
    ...exposeNullable(t, 'BigInt', {
      amountMicros:
        'Amount in micro-USD; negative only for ADJUST. Null for the HOLD or VOID of an attempt without a price.',
    }),
    ...exposeNullable(t, 'String', {
      priceVersion:
        'Source and date of the price table used. Null without a price, for VOID, and for a cost from a bill.',
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

builder.mutationField('adjustCost', (t) =>
  t.field({
    type: AttemptRef,
    ...requires(
      'ADMIN',
      'Records the cost of an attempt as billed by the provider: a POST line if no cost was known, else an ADJUST line. ' +
        'It counts in the day and month in which the attempt was queued. Audited. Errors: NOT_FOUND; CONFLICT if the ' +
        'attempt has not ended, is UNKNOWN or was not charged.',
    ),
    args: {
      attemptId: t.arg.id({
        required: true,
        description: 'Id of an attempt, att_…, that is SUCCEEDED or FAILED.',
      }),
      costMicros: t.arg({
        type: 'BigInt',
        required: true,
        description: 'Total cost in micro-USD, at least 0.',
      }),
      note: t.arg.string({
        required: true,
        description: 'Source of the figure, such as the bill, for the audit log. 1 to 1000 characters.',
      }),
    },
    resolve: (_, { attemptId, costMicros, note }, { engine, caller }) =>
      engine.adjustCost(caller, attemptId, costMicros, note),
  }),
)
