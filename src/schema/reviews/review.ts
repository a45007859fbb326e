// Attempts that need a decision of an operator.
import { countListed, listForReview } from '../../db/attempts/review.ts'
import { listAudit, type AuditRow } from '../../db/access/audit.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { adviceOf, type Advice } from '../../engine/attempts/advice.ts'
import type { Resolution } from '../../engine/attempts/resolve.ts'
import { badInput } from '../../errors.ts'
import { AttemptRef } from '../attempt.ts'
import { builder, describedEnum } from '../builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from '../connection.ts'
import { exposeAll, exposeNullable } from '../expose.ts'
import { readReviewFilter, ReviewFilterInput, ReviewReasonEnum } from './review-filter.ts'
import { mutation } from '../mutation.ts'
import { requires } from '../scopes.ts'

export const ResolutionEnum = describedEnum<Resolution['is']>('AttemptResolution', {
  description: 'What an operator learned from the provider about an attempt of unknown outcome.',
  NOT_CHARGED: 'It was not charged. Its charge permit is returned, and the task is tried again.',
  CHARGED_RESULT_LOST:
    'It was charged and its images are lost. It ends as FAILED, and the held amount becomes its cost.',
  ADOPT_REMOTE_ID: 'The provider knows it by `remoteId`. It is polled, and its result is stored.',
})

const RESOLUTIONS = ['NOT_CHARGED', 'CHARGED_RESULT_LOST', 'ADOPT_REMOTE_ID'] as const

/** By end for those that ended, else by sending. */
const oldestFirst = keysetOf<AttemptRow>('att', ({ finishedAt, sentAt }) => (finishedAt ?? sentAt)!)

const AttemptConnectionRef = connectionType<AttemptRow>('Attempt', {
  description: 'A page of attempts, oldest first.',
  node: AttemptRef,
  keyset: oldestFirst,
})

const DecisionRef = builder.objectRef<AuditRow>('AttemptDecision').implement({
  description: 'An entry of the audit log: what an operator decided about an attempt.',
  fields: (t) => ({
    ...exposeAll(t, 'DateTime', { at: 'Time at which it was recorded.' }),
    resolution: t.field({
      type: ResolutionEnum,
      nullable: true,
      description: 'Argument of resolveAttempt. Null for other decisions.',
      resolve: ({ detail }) => RESOLUTIONS.find((one) => one === detail['is']) ?? null,
    }),
    costMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'Recorded cost of adjustCost or applyBill, in micro-USD. Null for other decisions.',
      resolve: ({ detail }) => (detail['costMicros'] == null ? null : Number(detail['costMicros'])),
    }),
    by: t.string({
      nullable: true,
      description: 'Who decided: id of an API key, `operator` or `command line`. Null if not recorded.',
      resolve: ({ detail }) => detail['by'] ?? null,
    }),
    note: t.string({
      nullable: true,
      description: 'Explanation by the operator, or the name and lines of the bill. Null without one.',
      resolve: ({ detail }) => detail['note'] ?? null,
    }),
  }),
})

builder.objectField(AttemptRef, 'decisions', (t) =>
  t.field({
    type: [DecisionRef],
    description:
      'Entries of resolveAttempt, adjustCost, applyBill and fetchResult in the audit log, latest first.',
    resolve: ({ id }, _, { db }) => listAudit(db.read, id),
  }),
)

const AdviceRef = builder.objectRef<Advice>('AttemptAdvice').implement({
  description: 'What an operator can do about an attempt.',
  fields: (t) => ({
    ...exposeAll(t, 'String', { text: 'One or two sentences for people. The wording may change.' }),
    ...exposeAll(t, [ResolutionEnum], {
      resolutions: 'Values that resolveAttempt accepts. Empty unless the outcome is unknown.',
    }),
    ...exposeAll(t, 'Boolean', {
      canFetch: 'Whether fetchResult can find a missing image, free of charge.',
    }),
  }),
})

builder.objectField(AttemptRef, 'advice', (t) =>
  t.field({
    type: AdviceRef,
    description: 'The next step for an operator, by the evidence so far.',
    async resolve(attempt, _, { loaders, providers }) {
      const addresses = await loaders.addresses.load(attempt.id)
      const provider = providers.find(({ name }) => name === attempt.provider)
      return adviceOf(attempt, { provider, addresses: addresses.length })
    },
  }),
)

builder.queryField('attemptsNeedingReview', (t) =>
  t.field({
    type: AttemptConnectionRef,
    ...requires(
      'READ',
      'Attempts that were or may have been charged and whose outcome or cost is unknown, oldest first.',
    ),
    complexity: (page) => weightOfPage(page),
    args: {
      reason: t.arg({
        type: ReviewReasonEnum,
        defaultValue: 'OUTCOME_UNKNOWN',
        description:
          'Which attempts to list: those of unknown outcome, of unknown cost, or with an estimate.',
      }),
      filter: t.arg({ type: ReviewFilterInput, description: 'Which of them to list. All by default.' }),
      ...pageArguments(),
    },
    resolve(_, { reason: chosen, filter: given, ...page }, { db, projectId }) {
      const reason = chosen ?? 'OUTCOME_UNKNOWN'
      const filter = readReviewFilter(given)
      return readPage(page, oldestFirst, {
        list: (range) => listForReview(db.reports, projectId, reason, filter, range),
        count: () => countListed(db.reports, projectId, reason, filter),
      })
    },
  }),
)

mutation('resolveAttempt', {
  right: requires(
    'ADMIN',
    'Resolves an attempt whose outcome is UNKNOWN, based on what the operator learned from the provider. Audited. After ' +
      'NOT_CHARGED and CHARGED_RESULT_LOST a late result is ignored. Errors: NOT_FOUND; CONFLICT if it is not UNKNOWN; ' +
      'BAD_USER_INPUT if ADOPT_REMOTE_ID lacks `remoteId` or the provider cannot be polled.',
  ),
  input: {
    description: 'Id of the attempt, and what happened at the provider.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id of an attempt, att_…, in the state UNKNOWN.' }),
      resolution: t.field({
        type: ResolutionEnum,
        required: true,
        description: 'What happened at the provider.',
      }),
      remoteId: t.string({
        description: "The provider's id of the job. Required for ADOPT_REMOTE_ID, else ignored.",
      }),
      note: t.string({ description: 'Source of the information, for the audit log.' }),
    }),
  },
  resolve: async ({ id, resolution, remoteId, note }, { engine, caller }) => ({
    attempt: await engine.resolveAttempt(
      caller.projectId,
      id,
      readResolution(resolution, remoteId),
      note ?? null,
      caller,
    ),
  }),
  payload: (t) => exposeNullable(t, AttemptRef, { attempt: 'The attempt in its new state.' }),
})

function readResolution(is: Resolution['is'], remoteId: string | null | undefined): Resolution {
  if (is !== 'ADOPT_REMOTE_ID') return { is }
  if (!remoteId)
    throw badInput('remoteId', "remoteId is missing; ADOPT_REMOTE_ID requires the provider's id of the job.")
  return { is, remoteId }
}
