import {
  countForReview,
  REVIEW_REASONS,
  type ReviewCount,
  type ReviewFilter,
  type ReviewReason,
} from '../../db/attempts/review.ts'
import { builder, describedEnum, withoutNulls } from '../builder.ts'
import * as enums from '../enums.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { requires } from '../scopes.ts'

export const ReviewReasonEnum = describedEnum<ReviewReason>('ReviewReason', {
  description: 'Why an attempt needs review.',
  OUTCOME_UNKNOWN: 'It was sent and its outcome is unknown. resolveAttempt records what happened.',
  COST_UNKNOWN: 'It ended, was or may have been charged, and has no known cost. adjustCost records it.',
  COST_ESTIMATED:
    'As COST_UNKNOWN, with an estimate posted after the time in `unknownCost` of the configuration. adjustCost replaces it.',
})

export const ReviewFilterInput = builder.inputType('ReviewFilter', {
  description:
    'Conditions on attempts that need review, all of which must hold. An absent field does not restrict.',
  fields: (t) => ({
    providers: t.stringList({ description: 'Names of providers, in the configuration now or earlier.' }),
    errorCodes: t.field({
      type: [enums.TaskErrorCode],
      description: 'Causes of their failure, such as MODERATION_BLOCKED.',
    }),
    latestAt: t.field({
      type: 'DateTime',
      description: 'Exclusive maximum of the time of their end, or of sending while the outcome is unknown.',
    }),
    minMicros: t.field({
      type: 'BigInt',
      description:
        'Inclusive minimum of the estimated, else the held amount, in micro-USD. Excludes attempts without one.',
    }),
    maxMicros: t.field({
      type: 'BigInt',
      description: 'Inclusive maximum of the same amount. Excludes attempts without one.',
    }),
  }),
})

export function readReviewFilter(
  given: typeof ReviewFilterInput.$inferInput | null | undefined,
): ReviewFilter {
  const { latestAt: before, ...filter } = withoutNulls(given ?? {})
  return { ...filter, before }
}

const ReviewCountRef = builder.objectRef<ReviewCount>('ReviewCount').implement({
  description: 'Attempts of one provider that need review for one reason.',
  fields: (t) => ({
    ...exposeAll(t, 'String', { provider: 'Name of the provider, in the configuration now or earlier.' }),
    ...exposeAll(t, ReviewReasonEnum, { reason: 'Why they need review.' }),
    ...exposeAll(t, 'Int', {
      attempts: 'Number of attempts, at least 1.',
      unpriced: 'Number of those without a known maximum cost, which are not in `amountMicros`.',
    }),
    ...exposeAll(t, 'BigInt', { amountMicros: 'Sum of the estimated, else the held amounts, in micro-USD.' }),
    ...exposeAll(t, 'DateTime', {
      oldestAt: 'Earliest end, or earliest sending where the outcome is unknown.',
    }),
  }),
})

interface ReviewSummary {
  outcomeUnknown: number
  costUnknown: number
  costEstimated: number
  heldMicros: number
  oldestAt: number | null
}

const ReviewSummaryRef = builder.objectRef<ReviewSummary>('ReviewSummary').implement({
  description: 'What waits for a decision of an operator in the project.',
  fields: (t) => ({
    ...exposeAll(t, 'Int', {
      outcomeUnknown: 'Number of attempts of unknown outcome, as ReviewReason.OUTCOME_UNKNOWN.',
      costUnknown: 'Number of ended attempts without a known cost, as ReviewReason.COST_UNKNOWN.',
      costEstimated: 'Number of attempts with a posted estimate, as ReviewReason.COST_ESTIMATED.',
    }),
    ...exposeAll(t, 'BigInt', {
      heldMicros: 'Sum in micro-USD that is held for attempts of unknown outcome or cost.',
    }),
    ...exposeNullable(t, 'DateTime', {
      oldestAt: 'Earliest end, or sending, among attempts of unknown outcome or cost. Null without any.',
    }),
  }),
})

builder.queryField('reviewSummary', (t) =>
  t.field({
    type: ReviewSummaryRef,
    ...requires('READ', 'Numbers of attempts that need review, for a header or a badge.'),
    async resolve(_, __, { db, projectId }) {
      const counts = await countForReview(db.read, projectId, REVIEW_REASONS, {})
      const numberOf = (wanted: ReviewReason) =>
        counts.reduce((sum, { reason, attempts }) => sum + (reason === wanted ? attempts : 0), 0)
      const open = counts.filter(({ reason }) => reason !== 'COST_ESTIMATED')
      return {
        outcomeUnknown: numberOf('OUTCOME_UNKNOWN'),
        costUnknown: numberOf('COST_UNKNOWN'),
        costEstimated: numberOf('COST_ESTIMATED'),
        heldMicros: open.reduce((sum, { amountMicros }) => sum + amountMicros, 0),
        oldestAt: open.length === 0 ? null : Math.min(...open.map(({ oldestAt }) => oldestAt)),
      }
    },
  }),
)

builder.queryField('reviewCounts', (t) =>
  t.field({
    type: [ReviewCountRef],
    ...requires('READ', 'Numbers and amounts of attempts that need review, by reason and provider.'),
    args: {
      reasons: t.arg({
        type: [ReviewReasonEnum],
        description: 'Which reasons to count. All by default.',
      }),
      filter: t.arg({ type: ReviewFilterInput, description: 'Which attempts to count. All by default.' }),
    },
    resolve: (_, { reasons, filter }, { db, projectId }) =>
      countForReview(db.reports, projectId, reasons ?? REVIEW_REASONS, readReviewFilter(filter)),
  }),
)
