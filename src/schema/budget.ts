import type { Period } from '../domain.ts'
import { listBudgetStatus, type Budget } from '../engine/access/budgets.ts'
import { badInput, GatewayError } from '../errors.ts'
import { ApiKeyRef } from './api-key.ts'
import { builder, describedEnum } from './builder.ts'
import type { Context } from './context.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { ProjectRef } from './project.ts'
import { requires, scopeProblem } from './scopes.ts'

const BudgetPeriodEnum = describedEnum<Period>('BudgetPeriod', {
  description: 'Time span of a budget. Days and months are those of UTC.',
  DAY: 'A calendar day.',
  MONTH: 'A calendar month.',
  TOTAL: 'All time; the budget is never reset.',
})

const BudgetRef = builder.objectRef<Budget>('Budget').implement({
  description:
    'Spending limit of a project or an API key in the current period, in micro-USD. An attempt counts in the period in ' +
    'which it was queued, even if its cost becomes known later.',
  fields: (t) => ({
    ...exposeAll(t, BudgetPeriodEnum, {
      period: 'Each period has its own budget; an attempt must fit into all of them.',
    }),
    ...exposeNullable(t, 'BigInt', {
      limitMicros: 'Maximum of held and spent amounts together. Null if there is no budget.',
      remainingMicros: 'The limit minus held and spent amounts, at least 0. Null if there is no budget.',
    }),
    ...exposeAll(t, 'BigInt', {
      heldMicros:
        'Maximum that attempts of unknown cost could still cost. Attempts without a price are excluded.',
      spentMicros:
        'Sum of known costs. Exceeds the limit if that was lowered, or if a provider charged more than was held.',
    }),
    ...exposeNullable(t, 'DateTime', {
      resetsAt: 'Start of the next period, in which nothing is spent yet. Null for TOTAL.',
    }),
  }),
})

for (const owner of [ProjectRef, ApiKeyRef]) {
  builder.objectField(owner, 'budgets', (t) =>
    t.field({
      type: [BudgetRef],
      description: 'Spending per BudgetPeriod, with or without a limit. Requires the scope REPORT.',
      complexity: { multiplier: 3 },
      resolve: ({ id }, _, context) => listBudgets(id, context),
    }),
  )
}

async function listBudgets(id: string, { caller, db, clock }: Context): Promise<Budget[]> {
  if (caller.scopes.has('REPORT')) return listBudgetStatus(db.read, id, clock.now())
  throw new GatewayError('FORBIDDEN', scopeProblem('budgets', 'REPORT', caller.scopes))
}

mutation('setBudget', {
  right: requires(
    'ADMIN',
    'Sets or removes the spending limit of a project or an API key in one period. Applies from the next attempt; earlier ' +
      'spending counts. Audited. Errors: NOT_FOUND; FORBIDDEN for a project unless the caller is an operator.',
  ),
  input: {
    description: 'Owner, period and limit.',
    fields: (t) => ({
      owner: t.id({ required: true, description: 'Id of a project, prj_…, or of an API key, key_….' }),
      period: t.field({
        type: BudgetPeriodEnum,
        required: true,
        description: 'The period to set. Budgets of other periods do not change.',
      }),
      limitMicros: t.field({
        type: 'BigInt',
        description:
          'New limit in micro-USD, at least 0; 0 stops all spending. Null removes the budget. Required.',
      }),
    }),
  },
  async resolve({ owner, period, limitMicros }, { engine, caller }) {
    // An omitted variable must not remove a budget.
    if (limitMicros === undefined)
      throw badInput('limitMicros', 'limitMicros is missing; write null to remove the budget.')
    return { budget: await engine.setBudget(caller, owner, period, limitMicros) }
  },
  payload: (t) => exposeNullable(t, BudgetRef, { budget: 'Spending and limit of the owner in this period.' }),
})
