import type { UsageFilter } from '../db/money/usage-report.ts'
import { OPERATIONS, QUALITIES, TASK_STATUSES } from '../domain.ts'
import { MAX_ROWS, type UsageDimension, type UsageQuery } from '../engine/usage/query.ts'
import {
  knownCost,
  reportUsage,
  told,
  type UsageTotals,
  type UsageReport,
  type UsageRow,
} from '../engine/usage/report.ts'
import type { CalendarPeriod } from '../engine/usage/time-zone.ts'
import { GatewayError } from '../errors.ts'
import { builder } from './builder.ts'
import { OperationEnum, QualityEnum, TaskStatusEnum } from './enums.ts'
import { MetadataInput } from './generate-image.ts'

const DimensionEnum = builder.enumType('UsageDimension', {
  description:
    'What a usage report can be grouped by. Each gives its rows one key, in the field of that name.',
  values: {
    HOUR: { description: 'The hour of the time zone; one that comes twice when clocks are put back is two.' },
    DAY: { description: 'The day of the time zone, of 23 or 25 hours where clocks are changed.' },
    MONTH: { description: 'The calendar month of the time zone.' },
    PROJECT: { description: 'Of use with `allProjects`; in any other report there is one.' },
    API_KEY: { description: 'The key that the task was asked with.' },
    USER: { description: "The caller's end user, as `GenerateImageInput.user` named them." },
    PROVIDER: { description: 'The configured account that was asked, by its name.' },
    MODEL: { description: "Darkroom's name for it, whatever the provider calls it." },
    OPERATION: { description: 'GENERATE or EDIT.' },
    QUALITY: { description: 'As the provider resolved it, else as asked.' },
    SIZE: { description: 'As the provider resolved it, else as asked: WIDTHxHEIGHT or auto.' },
    STATUS: { description: "The task's status at the time of the report." },
    METADATA: { description: "One of the caller's own labels: say which with `metadataKey`." },
  } as const satisfies Record<UsageDimension, { description: string }>,
})

const FilterInput = builder.inputType('UsageFilter', {
  description: 'Whose usage; a field left out does not restrict, and all that are given must hold.',
  fields: (t) => ({
    apiKeyIds: t.idList({ description: 'Asked with any one of these keys; an empty list lets none pass.' }),
    providers: t.stringList({ description: 'Asked of any one of these, by their names.' }),
    models: t.stringList({ description: 'Of exactly one of these models.' }),
    users: t.stringList({ description: 'For any one of these end users.' }),
    operations: t.field({ type: [OperationEnum], description: 'GENERATE, EDIT or both.' }),
    qualities: t.field({ type: [QualityEnum], description: 'As resolved, else as asked.' }),
    sizes: t.field({ type: ['ImageSize'], description: 'As resolved, else as asked.' }),
    statuses: t.field({ type: [TaskStatusEnum], description: 'Whose task is in any one of these now.' }),
    metadata: t.field({ type: [MetadataInput], description: 'Whose task has every one of these labels.' }),
  }),
})

const FiguresRef = builder.interfaceRef<UsageTotals>('UsageFigures').implement({
  description:
    'Sums of attempts, each counted at the moment it was put into the queue, for good: what is learned of it later ' +
    'changes the sums of that moment. What nobody told is in no sum; how many attempts that concerns is counted.',
  fields: (t) => ({
    tasks: t.exposeInt('tasks', {
      description: 'Tasks, each counted where its first attempt is; 0 where only later attempts are.',
    }),
    attempts: t.exposeInt('attempts', {
      description: 'All of them, those included that were never sent or were refused.',
    }),
    images: t.exposeInt('images', { description: 'Finished pictures that were received.' }),
    inputTokens: t.field(tokens('inputTokens', 'Tokens read: prompts and input images')),
    outputTokens: t.field(tokens('outputTokens', 'Tokens painted: results and previews')),
    totalTokens: t.field(tokens('totalTokens', 'Both together, as the providers counted')),
    inputTextTokens: t.field(tokens('inputTextTokens', 'Tokens of prompts')),
    inputImageTokens: t.field(tokens('inputImageTokens', 'Tokens of input images')),
    outputTextTokens: t.field(tokens('outputTextTokens', 'Tokens of text')),
    outputImageTokens: t.field(tokens('outputImageTokens', 'Tokens of results and previews')),
    costMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'What is known to have been spent, in micro-USD: the sum of what the ledger has posted and adjusted. Null where ' +
        'something was or may have been charged and no cost at all is known.',
      resolve: knownCost,
    }),
    heldMicros: t.expose('heldMicros', {
      type: 'BigInt',
      description:
        'What may yet be spent at most, in micro-USD, by attempts that are under way or in doubt; those whose price ' +
        'nobody knows hold nothing.',
    }),
    attemptsWithUnknownCost: t.exposeInt('unknownCosts', {
      description:
        'Attempts that have ended, or are in doubt, with a certain or possible charge that is not in `costMicros`.',
    }),
    attemptsWithUnknownUsage: t.exposeInt('unknownUsages', {
      description:
        'Attempts that have ended, or are in doubt, with a certain or possible charge and no word of tokens.',
    }),
  }),
})

/** A sum that is null rather than 0: of nothing told, nobody knows how much it was. */
function tokens(name: keyof UsageTotals, of: string) {
  return {
    type: 'BigInt' as const,
    nullable: true as const,
    description: `${of}, as far as they were reported; null where none were.`,
    resolve: (figures: UsageTotals) => told(figures[name]),
  }
}

const PeriodRef = builder.objectRef<CalendarPeriod>('UsagePeriod').implement({
  description: 'An hour, day or month of a time zone.',
  fields: (t) => ({
    label: t.exposeString('label', {
      description: 'As a calendar there says it: 2026-11, 2026-11-20, or 2026-11-20T14:00+01:00.',
    }),
    startsAt: t.expose('startsAt', {
      type: 'DateTime',
      description: 'Its first moment, also where the report begins within it.',
    }),
    endsAt: t.expose('endsAt', {
      type: 'DateTime',
      description: 'The first moment that is not in it any more.',
    }),
  }),
})

const NOT_GROUPED = 'Null where the report is not grouped by it'

const RowRef = builder.objectRef<UsageRow & UsageTotals>('UsageRow').implement({
  description: 'The sums of one group. Only the keys it was grouped by are set.',
  interfaces: [FiguresRef],
  fields: (t) => ({
    hour: t.field(period('hour')),
    day: t.field(period('day')),
    month: t.field(period('month')),
    projectId: t.id(key('projectId', 'prj_….')),
    apiKeyId: t.id(key('apiKeyId', 'key_….', ', and for what was asked without a key')),
    user: t.string(key('user', "The caller's end user.", ', and where none was named')),
    provider: t.string(key('provider', 'Its name.')),
    model: t.string(key('model', 'Its name, as it was asked for.')),
    operation: t.field({
      type: OperationEnum,
      nullable: true,
      description: `${NOT_GROUPED}.`,
      resolve: ({ keys }) => OPERATIONS.find((one) => one === keys.operation) ?? null,
    }),
    quality: t.field({
      type: QualityEnum,
      nullable: true,
      description: `As the provider resolved it, else as asked. ${NOT_GROUPED}.`,
      resolve: ({ keys }) => QUALITIES.find((one) => one === keys.quality) ?? null,
    }),
    size: t.string(key('size', 'WIDTHxHEIGHT, or auto where the provider did not say what it chose.')),
    status: t.field({
      type: TaskStatusEnum,
      nullable: true,
      description: `Of the tasks, as of the report. ${NOT_GROUPED}.`,
      resolve: ({ keys }) => TASK_STATUSES.find((one) => one === keys.status) ?? null,
    }),
    metadata: t.string(key('metadata', 'The value of the label.', ', and for tasks without that label')),
  }),
})

function period(name: 'hour' | 'day' | 'month') {
  return {
    type: PeriodRef,
    nullable: true as const,
    description: `The ${name} that its attempts were put into the queue in. ${NOT_GROUPED}.`,
    resolve: (row: UsageRow) => row[name] ?? null,
  }
}

function key(name: keyof UsageRow['keys'], what: string, more = '') {
  return {
    nullable: true as const,
    description: `${what} ${NOT_GROUPED}${more}.`,
    resolve: ({ keys }: UsageRow) => keys[name] ?? null,
  }
}

const TotalsRef = builder.objectRef<UsageTotals>('UsageTotals').implement({
  description: 'The sums of all attempts of a report, whatever they are grouped by.',
  interfaces: [FiguresRef],
})

const ReportRef = builder.objectRef<UsageReport>('UsageReport').implement({
  description: 'What was asked for, what it used, and what it cost, from one moment to another.',
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', description: 'The first moment of it.' }),
    to: t.expose('to', {
      type: 'DateTime',
      description: 'The first moment that is not in it; for a report until now, when it was made.',
    }),
    timeZone: t.exposeString('timeZone', { description: 'Whose hours, days and months they are.' }),
    rows: t.field({
      type: [RowRef],
      description: `In the order of \`groupBy\`, at most ${MAX_ROWS}; empty without it, since \`totals\` says it all.`,
      // They are read at once, and a field of theirs costs next to nothing.
      complexity: { multiplier: 100 },
      resolve: ({ rows }) => rows.map((row) => ({ ...row, ...row.figures })),
    }),
    totals: t.expose('totals', {
      type: TotalsRef,
      description: 'Of all rows together.',
    }),
  }),
})

interface Asked {
  from: number
  to?: number | null | undefined
  groupBy?: readonly UsageDimension[] | null | undefined
  filter?: typeof FilterInput.$inferInput | null | undefined
  timeZone?: string | null | undefined
  metadataKey?: string | null | undefined
}

function read(asked: Asked): Omit<UsageQuery, 'projectId'> {
  return {
    from: asked.from,
    to: asked.to ?? null,
    groupBy: asked.groupBy ?? [],
    filter: readFilter(asked.filter),
    timeZone: asked.timeZone ?? 'UTC',
    metadataKey: asked.metadataKey ?? null,
  }
}

/** The input without its nulls. */
function readFilter(input: typeof FilterInput.$inferInput | null | undefined): UsageFilter {
  return Object.fromEntries(Object.entries(input ?? {}).filter(([, value]) => value != null))
}

const FROM = 'The first moment of it.'
const GROUP_BY = 'In this order; none gives the totals alone.'
const TIME_ZONE = 'Whose hours, days and months: a name of the IANA database, Europe/Berlin for example.'
const METADATA_KEY = 'Which label METADATA groups by.'

builder.queryField('usage', (t) =>
  t.field({
    type: ReportRef,
    description:
      "The project's usage and cost over some time. Grouped by times, PROJECT, API_KEY, PROVIDER and MODEL it takes " +
      'milliseconds however much there is; the other dimensions read the attempts themselves.',
    extensions: { scope: 'REPORT' },
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: FROM }),
      to: t.arg({
        type: 'DateTime',
        required: true,
        description: 'The first moment that is not in it, at most 50 years later.',
      }),
      groupBy: t.arg({ type: [DimensionEnum], required: true, defaultValue: [], description: GROUP_BY }),
      filter: t.arg({ type: FilterInput, description: "All of the project's when left out." }),
      timeZone: t.arg.string({ defaultValue: 'UTC', description: TIME_ZONE }),
      metadataKey: t.arg.string({ description: METADATA_KEY }),
      allProjects: t.arg.boolean({
        defaultValue: false,
        description: 'Of every project of this deployment, for operators only.',
      }),
    },
    resolve(_, { allProjects, ...asked }, { db, clock, caller, projectId }) {
      if (allProjects && !caller.operator)
        throw new GatewayError('FORBIDDEN', 'Only operators see the usage of all projects.', {
          field: 'allProjects',
        })
      const query = { ...read(asked), projectId: allProjects ? null : projectId }
      return reportUsage(db.read, query, clock.now())
    },
  }),
)

builder.subscriptionField('usage', (t) =>
  t.field({
    type: ReportRef,
    description:
      'The same report as Query.usage, at once and whenever it has changed: at most once a second. Never completes by ' +
      'itself.',
    extensions: { scope: 'REPORT' },
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: FROM }),
      to: t.arg({
        type: 'DateTime',
        description: 'The first moment that is not in it; until now when left out.',
      }),
      groupBy: t.arg({ type: [DimensionEnum], required: true, defaultValue: [], description: GROUP_BY }),
      filter: t.arg({ type: FilterInput, description: "All of the project's when left out." }),
      timeZone: t.arg.string({ defaultValue: 'UTC', description: TIME_ZONE }),
      metadataKey: t.arg.string({ description: METADATA_KEY }),
    },
    subscribe: (_, asked, { engine, projectId }) => engine.watchUsage({ ...read(asked), projectId }),
    resolve: (report) => report,
  }),
)
