import { REVIEW_REASONS } from '../../db/attempts/review.ts'
import {
  MAX_RESOLVED,
  type AdjustedCosts,
  type ResolvedAttempts,
  type ReviewProblem,
} from '../../engine/attempts/resolve-many.ts'
import { badInput } from '../../errors.ts'
import { builder } from '../builder.ts'
import { ErrorCode } from '../error-code.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { mutation } from '../mutation.ts'
import { ReviewFilterInput, ReviewReasonEnum, readReviewFilter } from './review-filter.ts'
import { ResolutionEnum } from './review.ts'
import { requires } from '../scopes.ts'

export const ReviewProblemRef = builder.objectRef<ReviewProblem>('ReviewProblem').implement({
  description: 'Why one attempt of many was left as it is.',
  fields: (t) => ({
    attemptId: t.exposeID('attemptId', { description: 'The attempt, att_….' }),
    ...exposeAll(t, ErrorCode, { code: 'Kind of the refusal, as in `extensions.code` of errors.' }),
    ...exposeAll(t, 'String', {
      message: 'Explanation for people, with the remedy.',
    }),
  }),
})

mutation('resolveAttempts', {
  right: requires(
    'ADMIN',
    `Resolves up to ${MAX_RESOLVED} attempts by what the operator learned from the provider, each in a transaction of its ` +
      'own with an audit record. For an unknown outcome it acts as resolveAttempt: NOT_CHARGED retries the tasks. For an ' +
      'ended attempt of unknown cost, NOT_CHARGED releases the hold, and CHARGED_RESULT_LOST makes the estimated, else the ' +
      'held amount its cost. Errors: BAD_USER_INPUT without exactly one of `ids` and `filter`.',
  ),
  input: {
    description: 'Which attempts to resolve, what happened at the provider, and a note.',
    fields: (t) => ({
      ids: t.idList({ description: `Ids of attempts, att_…, at most ${MAX_RESOLVED}.` }),
      filter: t.field({
        type: ReviewFilterInput,
        description: 'Resolves the matching attempts, oldest first. An empty filter matches all.',
      }),
      reasons: t.field({
        type: [ReviewReasonEnum],
        description: 'With `filter`: reasons to include. All by default.',
      }),
      resolution: t.field({
        type: ResolutionEnum,
        required: true,
        description: 'NOT_CHARGED or CHARGED_RESULT_LOST; ADOPT_REMOTE_ID needs resolveAttempt.',
      }),
      note: t.string({
        required: true,
        description: 'Source of the information, for the audit log. 1 to 1000 characters.',
      }),
    }),
  },
  resolve({ ids, filter, reasons, resolution, note }, { engine, caller }): Promise<ResolvedAttempts> {
    if ((ids == null) === (filter == null)) throw badInput('filter', 'Pass exactly one of ids and filter.')
    if (resolution === 'ADOPT_REMOTE_ID')
      throw badInput(
        'resolution',
        'resolution is ADOPT_REMOTE_ID; a remote id belongs to one attempt: use resolveAttempt.',
      )
    const selection = {
      ids: ids ?? null,
      reasons: reasons ?? REVIEW_REASONS,
      filter: readReviewFilter(filter),
    }
    return engine.resolveAttempts(caller, selection, resolution, note)
  },
  payload: (t) => ({
    ...exposeAll(t, 'Int', { resolved: 'Number of attempts resolved by this call.' }),
    ...exposeNullable(t, 'Int', {
      remaining:
        'Number of attempts that still match the filter, those with problems included. Null with `ids`.',
    }),
    ...exposeAll(t, [ReviewProblemRef], {
      problems: 'Attempts that could not be resolved, each with the reason.',
    }),
  }),
})

const CostLineInput = builder.inputType('CostLineInput', {
  description: 'Billed cost of one attempt.',
  fields: (t) => ({
    attemptId: t.id({ required: true, description: 'Id of an attempt, att_…, that is SUCCEEDED or FAILED.' }),
    costMicros: t.field({
      type: 'BigInt',
      required: true,
      description: 'Total cost in micro-USD, at least 0.',
    }),
  }),
})

mutation('adjustCosts', {
  right: requires(
    'ADMIN',
    `Records the costs of up to ${MAX_RESOLVED} attempts as adjustCost does, each in a transaction of its own with an audit ` +
      'record. Errors: BAD_USER_INPUT if an attempt is named twice.',
  ),
  input: {
    description: 'Attempts with their billed cost, and a note.',
    fields: (t) => ({
      lines: t.field({ type: [CostLineInput], required: true, description: 'Attempts with their cost.' }),
      note: t.string({
        required: true,
        description: 'Source of the figures, such as the bill, for the audit log. 1 to 1000 characters.',
      }),
    }),
  },
  resolve: ({ lines, note }, { engine, caller }): Promise<AdjustedCosts> =>
    engine.adjustCosts(caller, lines, note),
  payload: (t) => ({
    ...exposeAll(t, 'Int', {
      adjusted: 'Number of attempts whose cost was recorded by this call.',
      unchanged: 'Number of attempts that had this cost already. Nothing was written for them.',
    }),
    ...exposeAll(t, [ReviewProblemRef], { problems: 'Attempts whose cost could not be recorded.' }),
  }),
})
