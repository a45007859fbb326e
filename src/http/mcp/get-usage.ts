import { z } from 'zod'
import { PERIODS } from '../../domain.ts'
import { listBudgetStatus } from '../../engine/access/budgets.ts'
import { knownCost, reportUsage, type UsageRow } from '../../engine/usage/report.ts'
import { KEY_OF } from '../../engine/usage/query.ts'
import { readUsageQuery } from '../usage/query-text.ts'
import { COST, toCost } from './task-result.ts'
import { defineTool, toWord, wordsOf, type McpContext } from './tool.ts'

const MAX_ROWS_SHOWN = 100

const MEASURES = {
  tasks: z.int(),
  images: z.int(),
  cost: COST,
  attempts_of_unknown_cost: z.int().describe('Not part of the cost.'),
}

export const getUsage = defineTool({
  name: 'get_usage',
  description:
    'Returns what images of this project have cost in US dollars in a period, and what is left of the budgets that apply to ' +
    'this API key. Costs nothing.',
  scope: 'REPORT',
  annotations: {
    title: 'Get usage and budgets',
    readOnlyHint: true,
    idempotentHint: true,
    openWorldHint: false,
  },
  input: z.strictObject({
    from: z
      .string()
      .optional()
      .describe('"2026-11", "2026-11-20" or a time. The start of this month by default.'),
    to: z.string().optional().describe('Exclusive end, in the same forms. Now by default.'),
    group_by: z
      .array(z.string())
      .default([])
      .describe(
        'Such as ["day"] or ["model", "provider"]. Also hour, month, api_key, user, quality, size, status.',
      ),
    time_zone: z.string().default('UTC').describe('IANA name, such as Europe/Berlin.'),
  }),
  output: z.object({
    from: z.string(),
    to: z.string(),
    totals: z.object(MEASURES),
    rows: z
      .array(z.object({ group: z.record(z.string(), z.string().nullable()), ...MEASURES }))
      .describe(`By group_by, at most ${MAX_ROWS_SHOWN}.`),
    budgets: z
      .array(
        z.object({
          owner: z.enum(['project', 'api key']),
          period: wordsOf(PERIODS),
          limit: COST,
          left: COST,
          resets_at: z.string().nullable(),
        }),
      )
      .describe('Every budget must have enough left for a new image. Empty if there is no budget.'),
  }),
  async run({ from, to, group_by: groupBy, time_zone: timeZone }, { context }) {
    const { db, clock, projectId } = context
    const now = clock.now()
    const texts = { from, to, groupBy: groupBy.join(','), timeZone, filter: [] }
    const report = await reportUsage(db.reports, { ...readUsageQuery(texts, now), projectId }, now)
    const data = {
      from: toText(report.from),
      to: toText(report.to),
      totals: measuresOf(report.totals),
      rows: report.rows
        .slice(0, MAX_ROWS_SHOWN)
        .map((row) => ({ group: groupOf(row), ...measuresOf(row.counts) })),
      budgets: await listBudgets(context, now),
    }
    return { text: describe(data, report.rows.length), data }
  },
})

function measuresOf(counts: UsageRow['counts']) {
  return {
    tasks: counts.tasks,
    images: counts.images,
    cost: toCost(knownCost(counts)),
    attempts_of_unknown_cost: counts.unknownCosts,
  }
}

function groupOf({ keys, hour, day, month }: UsageRow): Record<string, string | null> {
  const periods = Object.entries({ hour, day, month }).flatMap(([name, period]) =>
    period === undefined ? [] : [[name, period.label] as const],
  )
  const others = Object.entries(KEY_OF).flatMap(([name, key]) => {
    const value = keys[key]
    return value === undefined ? [] : [[toWord(name), value] as const]
  })
  return Object.fromEntries([...periods, ...others])
}

async function listBudgets({ db, caller }: McpContext, now: number) {
  const owners = [
    ['project', caller.projectId] as const,
    ...(caller.apiKeyId === null ? [] : [['api key', caller.apiKeyId] as const]),
  ]
  const lists = await Promise.all(
    owners.map(async ([owner, id]) =>
      (await listBudgetStatus(db.read, id, now)).map((budget) => ({ ...budget, owner })),
    ),
  )
  return lists.flat().flatMap(({ owner, period, limitMicros, remainingMicros, resetsAt }) =>
    limitMicros === null
      ? []
      : {
          owner,
          period: toWord(period),
          limit: toCost(limitMicros),
          left: toCost(remainingMicros),
          resets_at: resetsAt === null ? null : toText(resetsAt),
        },
  )
}

function toText(at: number): string {
  return new Date(at).toISOString()
}

interface Described {
  from: string
  to: string
  totals: ReturnType<typeof measuresOf>
  rows: ({ group: Record<string, string | null> } & ReturnType<typeof measuresOf>)[]
  budgets: Awaited<ReturnType<typeof listBudgets>>
}

function describe({ from, to, totals, rows, budgets }: Described, rowCount: number): string {
  const unknown = totals.attempts_of_unknown_cost
  return [
    `${from} to ${to}: ${totals.cost.text}. Tasks: ${totals.tasks}, images: ${totals.images}.`,
    ...(unknown > 0 ? [`Attempts of unknown cost, not included: ${unknown}.`] : []),
    ...rows.map(
      ({ group, images, cost }) => `${Object.values(group).join(', ')}: ${cost.text}, images: ${images}`,
    ),
    ...(rowCount > rows.length ? [`Shown: the first ${rows.length} of ${rowCount} rows.`] : []),
    ...budgets.map(
      ({ owner, period, limit, left, resets_at: resetsAt }) =>
        `Budget of the ${owner} (${period}): ${left.text} of ${limit.text} is left` +
        `${resetsAt === null ? '' : `, resets at ${resetsAt}`}.`,
    ),
    ...(budgets.length === 0 ? ['No budget applies.'] : []),
  ].join('\n')
}
