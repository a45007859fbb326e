// The money of single attempts: what was held, posted and corrected.
import type { LedgerKind } from '../domain.ts'
import type { LedgerRow } from '../db/tables/tables.ts'
import { AttemptRef } from './attempt.ts'
import { builder } from './builder.ts'

const LedgerKindEnum = builder.enumType('LedgerKind', {
  description: 'What happened to the money of an attempt.',
  values: {
    HOLD: { description: 'The most it could cost was set aside when it was put into the queue.' },
    POST: { description: 'It cost this, whatever had been held.' },
    VOID: { description: 'It cost nothing, and what was held is free again.' },
    ADJUST: { description: 'What had been posted was corrected by so much, up or down.' },
  } as const satisfies Record<LedgerKind, { description: string }>,
})

const LedgerLineRef = builder.objectRef<LedgerRow>('LedgerLine').implement({
  description:
    'One line of the ledger. Lines are added and never changed; POST and ADJUST together are the cost.',
  fields: (t) => ({
    kind: t.expose('kind', {
      type: LedgerKindEnum,
      description: 'One HOLD comes first, always.',
    }),
    amountMicros: t.expose('amountMicros', {
      type: 'BigInt',
      nullable: true,
      description:
        'In micro-USD, below 0 only for ADJUST; null for a HOLD or VOID of an attempt without a price.',
    }),
    priceVersion: t.exposeString('priceVersion', {
      nullable: true,
      description:
        'The price table it was reckoned with, by its date and source; null without one, for VOID, and for what a bill says.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was written down.' }),
  }),
})

builder.objectFields(AttemptRef, (t) => ({
  heldMicros: t.expose('heldMicros', {
    type: 'BigInt',
    nullable: true,
    description:
      'The most it could cost, in micro-USD, reckoned when it was put into the queue; budgets count it until the cost is ' +
      'known. Null when its provider had no price.',
  }),
  ledger: t.field({
    type: [LedgerLineRef],
    description: 'What was held and posted for it, in order.',
    complexity: { multiplier: 3 },
    resolve: ({ id }, _, { loaders }) => loaders.lines.load(id),
  }),
}))

builder.mutationField('adjustCost', (t) =>
  t.field({
    type: AttemptRef,
    description:
      'Puts down what an attempt cost by the bill of its provider: POST where nobody knew, ADJUST where it was known ' +
      'otherwise. It counts in the day and month in which the attempt was asked for. It is kept on record.',
    extensions: { scope: 'ADMIN' },
    args: {
      attemptId: t.arg.id({
        required: true,
        description: 'Of one that SUCCEEDED or FAILED with a possible charge.',
      }),
      costMicros: t.arg({
        type: 'BigInt',
        required: true,
        description: 'All it cost, in micro-USD, from 0.',
      }),
      note: t.arg.string({
        required: true,
        description: 'For the record, 1 to 1000 characters: which bill says so.',
      }),
    },
    resolve: (_, { attemptId, costMicros, note }, { engine, caller }) =>
      engine.adjustCost(caller, attemptId, costMicros, note),
  }),
)
