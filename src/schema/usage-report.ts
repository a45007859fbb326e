import { OPERATIONS, QUALITIES, TASK_STATUSES } from '../domain.ts'
import { MAX_ROWS, type UsageDimension, type UsageQuery } from '../engine/usage/query.ts'
import {
  knownCost,
  reportUsage,
  nullIfZero,
  type UsageReport,
  type UsageRow,
  type UsageTotals,
} from '../engine/usage/report.ts'
import type { CalendarPeriod } from '../engine/usage/time-zone.ts'
import { GatewayError } from '../errors.ts'
import { builder, describedEnum, withoutNulls } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll } from './expose.ts'
import { MetadataInput } from './tasks/generate-image.ts'
import { requires } from './scopes.ts'

const DimensionEnum = describedEnum<UsageDimension>('UsageDimension', {
  description: 'Dimension to group a usage report by. Each sets the field of its name in the rows.',
  HOUR: 'Hour of the time zone. An hour that repeats when clocks are set back is two.',
  DAY: 'Calendar day of the time zone. It has 23 or 25 hours when clocks change.',
  MONTH: 'Calendar month of the time zone.',
  PROJECT: 'Project of the task. Several only with `allProjects`.',
  API_KEY: 'API key that created the task.',
  USER: "The caller's end user, from `GenerateImageInput.user`.",
  PROVIDER: 'Name of the provider of the attempt.',
  MODEL: 'Model name as requested, independent of the name at the provider.',
  OPERATION: 'GENERATE or EDIT.',
  QUALITY: 'Quality as the provider resolved it, else as requested.',
  SIZE: 'Size as the provider resolved it, else as requested: WIDTHxHEIGHT or auto.',
  STATUS: 'State of the task at the time of the report.',
  METADATA: "One of the caller's labels, chosen with `metadataKey`.",
})

const FilterInput = builder.inputType('UsageFilter', {
  description:
    'Conditions on attempts, all of which must hold. An absent field does not restrict. A list has at most 1000 values; an ' +
    'empty one matches nothing, except for `metadata`.',
  fields: (t) => ({
    apiKeyIds: t.idList({ description: 'API keys that created the task, key_….' }),
    providers: t.stringList({ description: 'Names of providers, in the configuration now or earlier.' }),
    models: t.stringList({ description: 'Exact model names, as requested.' }),
    users: t.stringList({ description: "The caller's end users." }),
    operations: t.field({ type: [enums.Operation], description: 'GENERATE, EDIT or both.' }),
    qualities: t.field({
      type: [enums.Quality],
      description: 'Values as the provider resolved them, else as requested.',
    }),
    sizes: t.field({
      type: ['ImageSize'],
      description: 'Values as the provider resolved them, else as requested.',
    }),
    statuses: t.field({ type: [enums.TaskStatus], description: 'Current states of the task.' }),
    metadata: t.field({ type: [MetadataInput], description: 'Labels, all of which the task must have.' }),
  }),
})

/** Null if none were reported. */
function tokens(name: keyof UsageTotals, what: string) {
  return {
    type: 'BigInt' as const,
    nullable: true as const,
    description: `${what}, as far as reported. Null if none were.`,
    resolve: (totals: UsageTotals) => nullIfZero(totals[name]),
  }
}

const MeasuresRef = builder.interfaceRef<UsageTotals>('UsageMeasures').implement({
  description:
    'Totals over attempts. An attempt counts at the time it was queued, even if its cost becomes known later. Unreported ' +
    'values are excluded from totals, and their attempts are counted.',
  fields: (t) => ({
    ...exposeAll(t, 'Int', {
      tasks: 'Number of tasks, each counted with its first attempt. 0 where only later attempts are.',
      attempts: 'Number of attempts, including those that were not sent or were refused.',
      images: 'Number of finished images received.',
    }),
    inputTokens: t.field(tokens('inputTokens', 'Tokens of prompts and input images')),
    outputTokens: t.field(tokens('outputTokens', 'Tokens of results and partial images')),
    totalTokens: t.field(tokens('totalTokens', 'Input and output tokens, as counted by the providers')),
    inputTextTokens: t.field(tokens('inputTextTokens', 'Tokens of prompts')),
    inputImageTokens: t.field(tokens('inputImageTokens', 'Tokens of input images')),
    outputTextTokens: t.field(tokens('outputTextTokens', 'Tokens of text in the output')),
    outputImageTokens: t.field(tokens('outputImageTokens', 'Tokens of results and partial images')),
    svgInputTokens: t.field(tokens('svgInputTokens', 'Tokens read by authors of SVGs')),
    svgOutputTokens: t.field(
      tokens('svgOutputTokens', 'Tokens written by authors of SVGs, reasoning included'),
    ),
    svgReasoningTokens: t.field(tokens('svgReasoningTokens', 'Tokens of reasoning of authors of SVGs')),
    costMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'Known cost in micro-USD: the sum of POST and ADJUST lines of the ledger, without estimates. Null if something was or may have been ' +
        'charged and no cost at all is known.',
      resolve: knownCost,
    }),
    ...exposeAll(t, 'BigInt', {
      svgCostMicros: 'Part of the known cost for authors of SVGs, as computed from their price tables.',
      heldMicros:
        'Maximum in micro-USD that attempts of unknown cost could still cost. Attempts without a price are excluded.',
    }),
    estimatedCostMicros: t.expose('estimatedMicros', {
      type: 'BigInt',
      description:
        'Estimates in micro-USD posted in place of unknown costs. Never part of `costMicros`; budgets count both.',
    }),
    attemptsWithEstimatedCost: t.exposeInt('estimatedCosts', {
      description: 'Number of attempts in `estimatedCostMicros`.',
    }),
    attemptsWithUnknownCost: t.exposeInt('unknownCosts', {
      description:
        'Number of attempts that ended or are UNKNOWN, were or may have been charged, and are neither in `costMicros` nor in ' +
        '`estimatedCostMicros`.',
    }),
    attemptsWithUnknownUsage: t.exposeInt('unknownUsages', {
      description:
        'Number of attempts that ended or are UNKNOWN, were or may have been charged, and have no reported tokens.',
    }),
  }),
})

const PeriodRef = builder.objectRef<CalendarPeriod>('UsagePeriod').implement({
  description: 'An hour, day or month of the time zone.',
  fields: (t) => ({
    ...exposeAll(t, 'String', {
      label: 'Local calendar notation: 2026-11, 2026-11-20, or 2026-11-20T14:00+01:00.',
    }),
    ...exposeAll(t, 'DateTime', {
      startsAt: 'Inclusive start, even if the report starts later.',
      endsAt: 'Exclusive end of the period.',
    }),
  }),
})

const NOT_GROUPED = 'Null if the report is not grouped by it'

const RowRef = builder.objectRef<UsageRow & UsageTotals>('UsageRow').implement({
  description: 'Totals of one group, and the keys of the group.',
  interfaces: [MeasuresRef],
  fields: (t) => ({
    hour: t.field(period('hour')),
    day: t.field(period('day')),
    month: t.field(period('month')),
    projectId: t.id(key('projectId', 'Id of the project, prj_….')),
    apiKeyId: t.id(key('apiKeyId', 'Id of the API key, key_….', ', and for tasks created without a key')),
    user: t.string(key('user', "The caller's end user.", ', and for tasks without one')),
    provider: t.string(key('provider', 'Name in the configuration.')),
    model: t.string(key('model', 'Name as requested.')),
    operation: t.field({
      type: enums.Operation,
      nullable: true,
      description: `GENERATE or EDIT. ${NOT_GROUPED}.`,
      resolve: ({ keys }) => OPERATIONS.find((one) => one === keys.operation) ?? null,
    }),
    quality: t.field({
      type: enums.Quality,
      nullable: true,
      description: `As the provider resolved it, else as requested. ${NOT_GROUPED}.`,
      resolve: ({ keys }) => QUALITIES.find((one) => one === keys.quality) ?? null,
    }),
    size: t.string(key('size', 'WIDTHxHEIGHT, or auto if the provider did not report its choice.')),
    status: t.field({
      type: enums.TaskStatus,
      nullable: true,
      description: `State of the tasks at the time of the report. ${NOT_GROUPED}.`,
      resolve: ({ keys }) => TASK_STATUSES.find((one) => one === keys.status) ?? null,
    }),
    metadata: t.string(key('metadata', 'Value of the label.', ', and for tasks without the label')),
  }),
})

function period(name: 'hour' | 'day' | 'month') {
  return {
    type: PeriodRef,
    nullable: true as const,
    description: `The ${name} in which the attempts were queued. ${NOT_GROUPED}.`,
    resolve: (row: UsageRow) => row[name] ?? null,
  }
}

function key(name: keyof UsageRow['keys'], what: string, alsoNull = '') {
  return {
    nullable: true as const,
    description: `${what} ${NOT_GROUPED}${alsoNull}.`,
    resolve: ({ keys }: UsageRow) => keys[name] ?? null,
  }
}

const TotalsRef = builder.objectRef<UsageTotals>('UsageTotals').implement({
  description: 'Totals of all attempts in a report.',
  interfaces: [MeasuresRef],
})

const ReportRef = builder.objectRef<UsageReport>('UsageReport').implement({
  description: 'Tasks, tokens and cost of a time range.',
  fields: (t) => ({
    ...exposeAll(t, 'DateTime', {
      from: 'Inclusive start of the range.',
      to: 'Exclusive end of the range; the time of the report if none was requested.',
    }),
    ...exposeAll(t, 'String', { timeZone: 'Zone of the hours, days and months.' }),
    ...exposeAll(t, TotalsRef, { totals: 'Sums over all groups.' }),
    rows: t.field({
      type: [RowRef],
      description: `Groups in the order of \`groupBy\`, at most ${MAX_ROWS}. Empty without \`groupBy\`.`,
      // Already read: a row's field costs little.
      complexity: { multiplier: 100 },
      resolve: ({ rows }) => rows.map((row) => ({ ...row, ...row.counts })),
    }),
  }),
})

const reportArguments = () =>
  builder.args((t) => ({
    from: t.field({ type: 'DateTime', required: true, description: 'Inclusive start of the range.' }),
    groupBy: t.field({
      type: [DimensionEnum],
      required: true,
      defaultValue: [],
      description: 'Dimensions in order, each at most once. By default, totals only.',
    }),
    filter: t.field({ type: FilterInput, description: 'Which attempts to count. All by default.' }),
    timeZone: t.string({
      defaultValue: 'UTC',
      description:
        'Zone of hours, days and months: an IANA name such as Europe/Berlin, or an offset such as +01:00.',
    }),
    metadataKey: t.string({
      description: 'Key of the label to group by. Required with METADATA, refused without it.',
    }),
  }))

interface ReportArguments {
  from: number
  to?: number | null | undefined
  groupBy?: readonly UsageDimension[] | null | undefined
  filter?: typeof FilterInput.$inferInput | null | undefined
  timeZone?: string | null | undefined
  metadataKey?: string | null | undefined
}

function readArguments({ filter, ...given }: ReportArguments): Omit<UsageQuery, 'projectId'> {
  const defaults = { to: null, groupBy: [], timeZone: 'UTC', metadataKey: null }
  return { ...defaults, ...withoutNulls(given), filter: withoutNulls(filter ?? {}) }
}

builder.queryField('usage', (t) =>
  t.field({
    type: ReportRef,
    ...requires(
      'REPORT',
      `Usage and cost of the project in a time range. BAD_USER_INPUT for more than ${MAX_ROWS} rows. Grouping and filtering ` +
        'by time, project, key, provider and model takes milliseconds; other dimensions read every attempt.',
    ),
    args: {
      ...reportArguments(),
      to: t.arg({
        type: 'DateTime',
        required: true,
        description: 'Exclusive end of the range, later than `from` by at most 50 years.',
      }),
      allProjects: t.arg.boolean({
        defaultValue: false,
        description:
          'Whether to report on every project of this server. FORBIDDEN unless the caller is an operator.',
      }),
    },
    resolve(_, { allProjects, ...given }, { db, clock, caller, projectId }) {
      if (allProjects && !caller.operator)
        throw new GatewayError('FORBIDDEN', 'allProjects needs the key of the operator.', {
          field: 'allProjects',
        })
      const query = { ...readArguments(given), projectId: allProjects ? null : projectId }
      return reportUsage(db.reports, query, clock.now())
    },
  }),
)

builder.subscriptionField('usage', (t) =>
  t.field({
    type: ReportRef,
    ...requires(
      'REPORT',
      'The report of Query.usage, at once and when it has changed, at most once per second. Never completes.',
    ),
    args: {
      ...reportArguments(),
      to: t.arg({
        type: 'DateTime',
        description: 'Exclusive end of the range, later than `from`. The current time by default.',
      }),
    },
    subscribe: (_, given, { engine, projectId }) => engine.watchUsage({ ...readArguments(given), projectId }),
    resolve: (report) => report,
  }),
)
