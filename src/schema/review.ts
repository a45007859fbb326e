// What operators do about attempts whose outcome nobody knows.
import { listUnknownOutcomes, listUnpriced } from '../db/attempts/review.ts'
import { listAudit, type AuditRow } from '../db/access/audit.ts'
import type { AttemptRow } from '../db/tables/tables.ts'
import type { Resolution } from '../engine/attempts/resolve.ts'
import { badInput, GatewayError } from '../errors.ts'
import { AttemptRef } from './attempt.ts'
import { builder } from './builder.ts'
import { pageOf } from './complexity.ts'

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

interface Page {
  attempts: AttemptRow[]
  hasNextPage: boolean
}

const AttemptPageInfoRef = builder.objectRef<Page>('AttemptPageInfo').implement({
  description: 'Whether there is more, and where to go on.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether younger doubts follow.' }),
    endCursor: t.string({
      nullable: true,
      description: 'Pass it as `after` for the next page; null on an empty page.',
      resolve: ({ attempts }) => (attempts.length > 0 ? cursorOf(attempts.at(-1)!) : null),
    }),
  }),
})

const AttemptConnectionRef = builder.objectRef<Page>('AttemptConnection').implement({
  description: 'A page of attempts, the oldest doubt first.',
  fields: (t) => ({
    nodes: t.field({
      type: [AttemptRef],
      description: 'The attempts, each with its evidence.',
      complexity: { multiplier: 1 },
      resolve: ({ attempts }) => attempts,
    }),
    pageInfo: t.field({
      type: AttemptPageInfoRef,
      description: 'Whether younger doubts follow, and where.',
      resolve: (page) => page,
    }),
  }),
})

const DecisionRef = builder.objectRef<AuditRow>('Decision').implement({
  description: 'What a person decided about an attempt, on record for good.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When it was decided.', resolve: ({ at }) => at }),
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
const MOST = 100

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
    complexity: ({ first }) => pageOf(first, 50, MOST),
    args: {
      reason: t.arg({
        type: ReviewReasonEnum,
        defaultValue: 'OUTCOME_UNKNOWN',
        description: 'What nobody knows of them.',
      }),
      first: t.arg.int({ defaultValue: 50, description: `At most so many, 1 to ${MOST}.` }),
      after: t.arg.string({
        description: '`pageInfo.endCursor` of the page before; from the oldest when left out.',
      }),
    },
    async resolve(_, { reason, first: asked, after }, { db, projectId }) {
      const first = asked ?? 50
      if (first < 1 || first > MOST) throw badInput('first', `first is ${first}; 1 to ${MOST} is possible.`)
      const list = reason === 'COST_UNKNOWN' ? listUnpriced : listUnknownOutcomes
      const place = after == null ? undefined : readCursor(after)
      const rows = await list(db.read, projectId, { first, after: place })
      return { attempts: rows.slice(0, first), hasNextPage: rows.length > first }
    },
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

/** Since when nobody knows: from its end on when that is known, else from the moment it was sent. */
function cursorOf({ finishedAt, sentAt, id }: AttemptRow): string {
  return Buffer.from(`${finishedAt ?? sentAt}:${id}`).toString('base64url')
}

function readCursor(cursor: string): { since: number; id: string } {
  const match = /^(\d{1,15}):(att_\w{26})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (!match)
    throw new GatewayError(
      'CURSOR_INVALID',
      'The cursor is not one of this list. Leave it out to start anew.',
      { field: 'after' },
    )
  return { since: Number(match[1]), id: match[2]! }
}
