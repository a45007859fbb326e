// What projects and keys may spend, and what of it is gone.
import type { Period } from '../domain.ts'
import { listStandings, type Budget } from '../engine/access/budgets.ts'
import { GatewayError } from '../errors.ts'
import { ApiKeyRef } from './api-key.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { ProjectRef } from './project.ts'

const PeriodEnum = builder.enumType('Period', {
  description: 'What a budget is for. Days and months are those of UTC.',
  values: {
    DAY: { description: 'A calendar day.' },
    MONTH: { description: 'A calendar month.' },
    TOTAL: { description: 'All time: it never begins anew.' },
  } as const satisfies Record<Period, { description: string }>,
})

const BudgetRef = builder.objectRef<Budget>('Budget').implement({
  description:
    'What may be spent in the period under way. Every attempt counts in the period in which it was asked for, for good. ' +
    'All amounts are in micro-USD.',
  fields: (t) => ({
    period: t.expose('period', {
      type: PeriodEnum,
      description: 'Each of the three has a budget of its own, and all of them must allow an attempt.',
    }),
    limitMicros: t.expose('limitMicros', {
      type: 'BigInt',
      nullable: true,
      description: 'The most that may be held and spent together; null for no budget.',
    }),
    heldMicros: t.expose('heldMicros', {
      type: 'BigInt',
      description:
        'The most that attempts of unknown cost could come to; those without a price count nothing.',
    }),
    spentMicros: t.expose('spentMicros', {
      type: 'BigInt',
      description:
        'What was spent. More than the limit where that was lowered, or a provider charged more than held.',
    }),
    leftMicros: t.expose('leftMicros', {
      type: 'BigInt',
      nullable: true,
      description: 'The limit less what is held and spent, never below 0; null for no budget.',
    }),
    resetsAt: t.expose('resetsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next period begins, with nothing spent; null for TOTAL.',
    }),
  }),
})

const DESCRIPTION =
  'One for each Period, set or not: what it may spend, and what is gone. Needs the scope REPORT.'

function standings({ id }: { id: string }, { caller, db, clock }: Context): Promise<Budget[]> {
  if (!caller.scopes.has('REPORT'))
    throw new GatewayError(
      'FORBIDDEN',
      `budgets needs the scope REPORT; this API key has ${[...caller.scopes].join(', ')}.`,
    )
  return listStandings(db.read, id, clock.now())
}

builder.objectField(ProjectRef, 'budgets', (t) =>
  t.field({
    type: [BudgetRef],
    description: DESCRIPTION,
    complexity: { multiplier: 3 },
    resolve: (project, _, context) => standings(project, context),
  }),
)

builder.objectField(ApiKeyRef, 'budgets', (t) =>
  t.field({
    type: [BudgetRef],
    description: DESCRIPTION,
    complexity: { multiplier: 3 },
    resolve: (key, _, context) => standings(key, context),
  }),
)

builder.mutationField('setBudget', (t) =>
  t.field({
    type: BudgetRef,
    description:
      'Sets what a project or a key may spend, on record. It counts from the next attempt on: what is under way goes on, ' +
      'and what is spent already counts. Projects are for operators.',
    extensions: { scope: 'ADMIN' },
    args: {
      owner: t.arg.id({ required: true, description: 'Of a project, prj_…, or of a key, key_….' }),
      period: t.arg({ type: PeriodEnum, required: true, description: 'The others stay as they are.' }),
      limitMicros: t.arg({
        type: 'BigInt',
        description: 'In micro-USD, from 0: nothing more may be asked for then. Null takes the budget away.',
      }),
    },
    resolve: (_, { owner, period, limitMicros }, { engine, caller }) =>
      engine.setBudget(caller, owner, period, limitMicros ?? null),
  }),
)
