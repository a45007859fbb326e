// For operators: an account may serve all projects.
import type { BillableAttempt } from '../db/attempts/billing.ts'
import type { AppliedBill } from '../engine/bills/apply.ts'
import {
  MAX_BILL_LINES,
  type Bill,
  type BillComparison,
  type BillDay,
  type BilledDifference,
  type BillMatch,
  type NumberedLine,
} from '../engine/bills/bill.ts'
import { badInput } from '../errors.ts'
import { builder, describedEnum } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { ReviewProblemRef } from './reviews/review-many.ts'
import { requires } from './scopes.ts'

/** Per list of a report. */
const MAX_LISTED = 1_000
/** Already read: a field costs little. */
const LISTED = { multiplier: 50 }

const BillMatchEnum = describedEnum<BillMatch>('BillMatch', {
  description: 'How a charge on a bill was matched with an attempt.',
  ATTEMPT_ID: 'By our attempt id.',
  REQUEST_ID: "By the provider's id of the HTTP request.",
  REMOTE_ID: "By the provider's id of the job.",
  TIME_AND_AMOUNT:
    'By the time and the exact cost, or because line and attempt are the only candidate of each other.',
  DAY_TOTAL: "By the total of a day, of which one attempt's cost is the only unknown part.",
})

const BillLineInput = builder.inputType('BillLineInput', {
  description: 'One charge on a bill. Without an id, the time is required.',
  fields: (t) => ({
    amountMicros: t.field({
      type: 'BigInt',
      required: true,
      description: 'Amount in micro-USD; negative for a credit. Lines of one attempt are summed.',
    }),
    attemptId: t.id({ description: 'Our attempt id, att_…, where the provider stores it.' }),
    requestId: t.string({ description: "The provider's id of the HTTP request." }),
    remoteId: t.string({ description: "The provider's id of the job." }),
    at: t.field({ type: 'DateTime', description: 'Time of the charge.' }),
  }),
})

const BillInput = builder.inputType('BillInput', {
  description: 'A bill of one provider account.',
  fields: (t) => ({
    provider: t.string({
      required: true,
      description: 'Name of the provider, in the configuration now or earlier.',
    }),
    source: t.string({
      required: true,
      description: 'Where it comes from, such as a file name. For the audit log.',
    }),
    lines: t.field({
      type: [BillLineInput],
      required: true,
      description: `Charges in any order, at most ${MAX_BILL_LINES}.`,
    }),
    from: t.field({
      type: 'DateTime',
      description:
        'Inclusive start of the period of which the bill contains every charge. Without it, attempts that are missing ' +
        'there are reported and not corrected. Required with `to`.',
    }),
    to: t.field({ type: 'DateTime', description: 'Exclusive end of that period. Required with `from`.' }),
  }),
})

const LineRef = builder.objectRef<NumberedLine>('BillLine').implement({
  description: 'A charge on a bill.',
  fields: (t) => ({
    ...exposeAll(t, 'Int', { number: 'Position in `BillInput.lines`, from 1.' }),
    ...exposeAll(t, 'BigInt', { amountMicros: 'Amount in micro-USD.' }),
    attemptId: t.exposeID('attemptId', { nullable: true, description: 'As given. Null without one.' }),
    ...exposeNullable(t, 'String', {
      requestId: 'As given. Null without one.',
      remoteId: 'As given. Null without one.',
    }),
    ...exposeNullable(t, 'DateTime', { at: 'As given. Null without one.' }),
  }),
})

const MissingRef = builder.objectRef<BillableAttempt>('BillAttempt').implement({
  description: 'An attempt that was or may have been charged here, and is not on the bill.',
  fields: (t) => ({
    attemptId: t.exposeID('id', { description: 'The attempt, att_….' }),
    projectId: t.exposeID('projectId', { description: 'Its project, prj_….' }),
    ...exposeAll(t, enums.AttemptState, { state: 'Its state here.' }),
    ...exposeAll(t, enums.Charged, { charged: 'Whether it was charged, as known here.' }),
    ...exposeNullable(t, 'BigInt', { costMicros: 'Cost in micro-USD as recorded here. Null if unknown.' }),
    ...exposeNullable(t, 'DateTime', { sentAt: 'Time at which the intent to send was committed.' }),
  }),
})

const DifferenceRef = builder.objectRef<BilledDifference>('BillDifference').implement({
  description: 'An attempt whose recorded cost is not the billed one.',
  fields: (t) => ({
    attemptId: t.id({ description: 'The attempt, att_….', resolve: ({ attempt }) => attempt.id }),
    projectId: t.id({ description: 'Its project, prj_….', resolve: ({ attempt }) => attempt.projectId }),
    ...exposeAll(t, 'BigInt', { billedMicros: 'Sum of its lines on the bill, in micro-USD.' }),
    ...exposeNullable(t, 'BigInt', {
      recordedMicros: 'Cost recorded here in micro-USD; 0 if it was not charged here. Null if unknown.',
    }),
    ...exposeAll(t, BillMatchEnum, { matchedBy: 'How it was found.' }),
    lines: t.field({
      type: ['Int'],
      description: 'Numbers of its lines. Empty for a bill of daily totals.',
      resolve: ({ lines }) => [...lines],
    }),
  }),
})

const DayRef = builder.objectRef<BillDay>('BillDay').implement({
  description: 'Totals of one day in UTC. Attempts count at the time of sending, unlike in usage reports.',
  fields: (t) => ({
    ...exposeAll(t, 'DateTime', { startsAt: 'Midnight in UTC.' }),
    ...exposeAll(t, 'BigInt', {
      billedMicros: 'Total of the bill in micro-USD. Lines without a time count on the day of their attempt.',
      recordedMicros: 'Known costs recorded here, in micro-USD.',
      estimatedMicros: 'Estimates posted here in place of unknown costs, in micro-USD.',
    }),
    ...exposeAll(t, 'Int', { unknownCosts: 'Number of attempts with a possible charge of unknown amount.' }),
  }),
})

const count = (name: 'missingHere' | 'missingThere' | 'different', what: string) => ({
  description: `Number of ${what}, also beyond the listed ones.`,
  resolve: (report: BillComparison) => report[name].length,
})
const listed = `at most ${MAX_LISTED} are listed`

const ReportRef = builder.objectRef<BillComparison>('BillReport').implement({
  description: 'A bill compared with the attempts of its provider in all projects.',
  fields: (t) => ({
    ...exposeAll(t, 'String', { provider: 'Name of the provider.' }),
    ...exposeAll(t, 'DateTime', {
      from: 'Inclusive start of the compared period. By default, the day of the first line.',
      to: 'Exclusive end of the compared period. By default, the end of the day of the last line.',
    }),
    ...exposeAll(t, 'Boolean', {
      isComplete: 'Whether the bill is known to contain every charge of the period.',
    }),
    missingHereCount: t.int(count('missingHere', 'charges without an attempt here')),
    missingHere: t.field({
      type: [LineRef],
      description: `Charges on the bill without an attempt here; ${listed}.`,
      complexity: LISTED,
      resolve: ({ missingHere }) => missingHere.slice(0, MAX_LISTED),
    }),
    missingThereCount: t.int(count('missingThere', 'attempts that are not on the bill')),
    missingThere: t.field({
      type: [MissingRef],
      description: `Attempts that were or may have been charged here, and are not on the bill; ${listed}.`,
      complexity: LISTED,
      resolve: ({ missingThere }) => missingThere.slice(0, MAX_LISTED),
    }),
    differentCount: t.int(count('different', 'attempts with another cost')),
    different: t.field({
      type: [DifferenceRef],
      description: `Attempts with another cost here than on the bill; ${listed}.`,
      complexity: LISTED,
      resolve: ({ different }) => different.slice(0, MAX_LISTED),
    }),
    ...exposeAll(t, 'Int', {
      running: 'Number of attempts on the bill that have not ended. They are compared after their end.',
      matched: 'Number of attempts whose recorded cost is the billed one.',
    }),
    days: t.field({
      type: [DayRef],
      description: 'Totals per day, in order. At most 400.',
      complexity: LISTED,
      resolve: ({ days }) => days,
    }),
  }),
})

const appliedFields = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, AppliedBill>) => ({
  ...exposeNullable(t, ReportRef, { report: 'What the comparison found before the corrections.' }),
  ...exposeAll(t, 'Int', { corrected: 'Number of attempts whose cost or charge was corrected.' }),
  ...exposeAll(t, [ReviewProblemRef], { problems: 'Attempts that could not be corrected.' }),
})

function readBill({ provider, source, lines, from, to }: typeof BillInput.$inferInput): Bill {
  if ((from == null) !== (to == null)) throw badInput('bill.to', 'from and to must be given together.')
  return {
    provider,
    source,
    lines: lines.map(({ amountMicros, attemptId, requestId, remoteId, at }, nth) => {
      if ([attemptId, requestId, remoteId, at].every((value) => value == null))
        throw badInput(`bill.lines.${nth}`, `bill.lines.${nth} has neither an id nor a time.`)
      const ids = { attemptId: attemptId ?? null, requestId: requestId ?? null, remoteId: remoteId ?? null }
      return { amountMicros, ...ids, at: at ?? null }
    }),
    period: from == null || to == null ? null : { from, to },
  }
}

const APPLIES =
  'in a transaction of its own with an audit record. A charge ends an unknown outcome and an estimate. Idempotent. ' +
  'Sends nothing to a provider.'

type Types = typeof builder.$inferSchemaTypes
type InputFields = PothosSchemaTypes.InputFieldBuilder<Types, 'Arg' | 'InputObject'>

const billField = (t: InputFields) => ({
  bill: t.field({
    type: BillInput,
    required: true,
    description: 'Charges of one provider account, and the period that they cover.',
  }),
})

const periodFields = (t: InputFields) => ({
  provider: t.string({ required: true, description: 'Name of a configured provider with an `adminKey`.' }),
  from: t.field({ type: 'DateTime', required: true, description: 'Inclusive start: midnight in UTC.' }),
  to: t.field({ type: 'DateTime', required: true, description: 'Exclusive end: midnight in UTC.' }),
})

builder.queryField('compareBill', (t) =>
  t.field({
    type: ReportRef,
    ...requires('OPERATOR', 'Compares a bill with the attempts of its provider. Changes nothing.'),
    args: builder.args(billField),
    resolve: (_, { bill }, { engine }) => engine.compareBill(readBill(bill)),
  }),
)

mutation('applyBill', {
  right: requires('OPERATOR', `Compares a bill and records the billed costs, each ${APPLIES}`),
  input: { description: 'The charges of one provider account.', fields: billField },
  resolve: ({ bill }, { engine, caller }) => engine.applyBill(caller, readBill(bill)),
  payload: appliedFields,
})

builder.queryField('compareProviderBill', (t) =>
  t.field({
    type: ReportRef,
    ...requires(
      'OPERATOR',
      'Fetches the daily totals that the provider billed, and compares them. Errors: CONFLICT if they cannot be fetched.',
    ),
    args: builder.args(periodFields),
    resolve: (_, period, { engine }) => engine.compareProviderBill(period),
  }),
)

mutation('applyProviderBill', {
  right: requires(
    'OPERATOR',
    'Fetches the daily totals that the provider billed, and records what they prove. If only one cost of a day is ' +
      'unknown, it is the rest. If nothing is left, the unknown charges of the day were none. Each is recorded ' +
      `${APPLIES} Errors: CONFLICT if they cannot be fetched.`,
  ),
  input: { description: 'Name of the provider, and the days to fetch.', fields: periodFields },
  resolve: (period, { engine, caller }) => engine.applyProviderBill(caller, period),
  payload: appliedFields,
})
