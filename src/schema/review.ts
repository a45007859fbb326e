// What operators do about attempts whose outcome nobody knows.
import { listUnknownOutcomes, listUnpriced } from '../db/attempts/review.ts'
import { listAudit, type AuditRow } from '../db/access/audit.ts'
import type { AttemptRow } from '../db/tables/tables.ts'
import type { Resolution } from '../engine/attempts/resolve.ts'
import { badInput } from '../errors.ts'
import { AttemptRef } from './attempt.ts'
import { builder } from './builder.ts'
import {
  connectionType,
  firstArgument,
  keysetOf,
  pageInfoType,
  readPage,
  weightOfPage,
} from './connection.ts'

const ReviewReasonEnum = builder.enumType('ReviewReason', {
  description: 'Why somebody has to look at an attempt.',
  values: {
    OUTCOME_UNKNOWN: {
      description: 'It was sent, and how it ended nobody knows: resolveAttempt ends the doubt.',
    },
    COST_UNKNOWN: {
      description:
        'It has ended and was or may have been charged, nobody knows how much: adjustCost puts it down.',
    },
  } as const,
})

const ResolutionEnum = builder.enumType('AttemptResolution', {
  description: 'What an operator found out about an attempt whose outcome was unknown.',
  values: {
    NOT_CHARGED: { description: 'It was not charged. Its permit comes back, and the task is tried again.' },
    CHARGED_RESULT_LOST: { description: 'It was charged and its images are gone. It ends as FAILED.' },
    ADOPT_REMOTE_ID: {
      description: 'The provider knows it by `remoteId`: it is asked, and what comes is taken.',
    },
  } as const,
})

/** By the moment since which nothing is known: the end where it is known, else the moment it was sent. */
const oldestFirst = keysetOf<AttemptRow>('att', ({ finishedAt, sentAt }) => (finishedAt ?? sentAt)!)

const AttemptConnectionRef = connectionType<AttemptRow>('AttemptConnection', {
  description: 'A page of attempts, the oldest doubt first.',
  node: AttemptRef,
  keyset: oldestFirst,
  pageInfo: pageInfoType('AttemptPageInfo'),
})

const DecisionRef = builder.objectRef<AuditRow>('Decision').implement({
  description: 'What a person decided about an attempt, on record for good.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was decided.' }),
    resolution: t.field({
      type: ResolutionEnum,
      nullable: true,
      description: 'What was found out; null for decisions of another kind.',
      resolve: ({ detail }) => RESOLUTIONS.find((word) => word === detail['is']) ?? null,
    }),
    costMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'What it cost by the bill, in micro-USD; null unless adjustCost was called.',
      resolve: ({ detail }) => (detail['costMicros'] == null ? null : Number(detail['costMicros'])),
    }),
    note: t.string({
      nullable: true,
      description: 'What they wrote about it; null when nothing.',
      resolve: ({ detail }) => detail['note'] ?? null,
    }),
  }),
})

const RESOLUTIONS = ['NOT_CHARGED', 'CHARGED_RESULT_LOST', 'ADOPT_REMOTE_ID'] as const

builder.objectField(AttemptRef, 'decisions', (t) =>
  t.field({
    type: [DecisionRef],
    description: 'What operators decided about it, latest first; empty for most.',
    resolve: ({ id }, _, { db }) => listAudit(db.read, id),
  }),
)

builder.queryField('attemptsNeedingReview', (t) =>
  t.field({
    type: AttemptConnectionRef,
    description:
      'Attempts that may have been charged and whose outcome, or cost, nobody knows, the oldest first. Each tells how far ' +
      'its request got.',
    extensions: { scope: 'READ' },
    complexity: ({ first }) => weightOfPage(first),
    args: {
      reason: t.arg({
        type: ReviewReasonEnum,
        defaultValue: 'OUTCOME_UNKNOWN',
        description: 'What nobody knows of them.',
      }),
      ...firstArgument(),
      after: t.arg.string({
        description: '`pageInfo.endCursor` of the page before; from the oldest when left out.',
      }),
    },
    resolve: (_, { reason, ...page }, { db, projectId }) =>
      readPage(page, oldestFirst, ({ first, after }) => {
        const list = reason === 'COST_UNKNOWN' ? listUnpriced : listUnknownOutcomes
        return list(db.read, projectId, { first, after: after && { since: after.at, id: after.id } })
      }),
  }),
)

builder.mutationField('resolveAttempt', (t) =>
  t.field({
    type: AttemptRef,
    description:
      'Ends the doubt about an attempt by the word of an operator, who looked at the bill of the provider or asked its ' +
      'support. It is kept on record. NOT_CHARGED and CHARGED_RESULT_LOST are final: a result that still comes is not taken in.',
    extensions: { scope: 'ADMIN' },
    args: {
      id: t.arg.id({ required: true, description: 'Of an attempt that is UNKNOWN.' }),
      resolution: t.arg({ type: ResolutionEnum, required: true, description: 'What was found out.' }),
      remoteId: t.arg.string({ description: "For ADOPT_REMOTE_ID: the provider's own id of it." }),
      note: t.arg.string({ description: 'For the record: where this is known from.' }),
    },
    resolve: (_, { id, resolution, remoteId, note }, { engine, projectId }) =>
      engine.resolve(projectId, id, read(resolution, remoteId), note ?? null),
  }),
)

function read(is: Resolution['is'], remoteId: string | null | undefined): Resolution {
  if (is !== 'ADOPT_REMOTE_ID') return { is }
  if (!remoteId)
    throw badInput('remoteId', 'ADOPT_REMOTE_ID needs the remoteId by which the provider knows it.')
  return { is, remoteId }
}
