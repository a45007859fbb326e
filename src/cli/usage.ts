import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import type { Queries } from '../db/connection/database.ts'
import type { UsageQuery } from '../engine/usage/query.ts'
import type { UsageReport } from '../engine/usage/report.ts'
import { GatewayError } from '../errors.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { readConfig } from './config.ts'
import { EXIT, UsageError } from './exit.ts'
import { toCsv, toJson } from './usage/formats.ts'
import { toPage } from './usage/page.ts'

/** `darkroom usage`. */
export const usage: Command = {
  name: 'usage',
  summary: 'Tell what was used and what it cost, by day, model or label',
  usage: '[--from 2026-11] [--to …] [--by day,model] [--filter …] [--csv | --json]',
  takesWords: false,
  options: [
    { name: 'from', value: '<day>', about: 'a day, a month or a moment; default the start of this month' },
    { name: 'to', value: '<day>', about: 'the first day or moment that is not in it; default now' },
    { name: 'by', value: '<list>', about: 'with commas between; default day' },
    {
      name: 'filter',
      value: '<list>',
      about: 'provider=openai,model=gpt-image-2; a name twice is either',
    },
    { name: 'time-zone', value: '<name>', about: 'Europe/Berlin; default UTC' },
    { name: 'project', value: '<id>', about: 'prj_…; default all projects' },
    { name: 'csv', value: null, about: 'for spreadsheets' },
    { name: 'json', value: null, about: 'for programs' },
  ],
  notes: [
    {
      title: 'By, and what filters name',
      lines: [
        ['time', 'hour, day, month'],
        ['counted', 'project, api_key, provider, model: milliseconds, however much there is'],
        ['read one by one', 'user, operation, quality, size, status, metadata.<label>'],
      ],
    },
    {
      title: 'It changes nothing',
      lines: [['the database', 'is read as it is at one moment; a server may run meanwhile, or none']],
    },
  ],
  examples: [
    'darkroom usage --by day,model',
    'darkroom usage --from 2026-11 --to 2026-12 --by provider --time-zone Europe/Berlin',
    'darkroom usage --by metadata.team --filter status=succeeded --csv > november.csv',
  ],
  run: runUsage,
}

async function runUsage({ values, switches }: Arguments, { env, cwd, out }: Surroundings): Promise<number> {
  if (switches.has('csv') && switches.has('json')) throw new UsageError('Either --csv or --json.')
  const now = systemClock.now()
  const query = await readWords(values, now)
  const config = await readConfig({ env, cwd })
  const { location, report } = await look(config, query, now)
  if (switches.has('csv')) out.write(toCsv(query, report))
  else if (switches.has('json')) out.write(toJson(query, report))
  else out.write(toPage(query, report, { location, paint: out.paint }))
  return EXIT.ok
}

async function readWords(values: Arguments['values'], now: number): Promise<UsageQuery> {
  const { readUsageQuery } = await import('../http/usage/query-text.ts')
  const { checkUsageQuery } = await import('../engine/usage/query.ts')
  const { from, to, by = 'day', filter = '', project = null } = values
  const pairs = filter.split(',').filter((pair) => pair !== '')
  const named = pairs.map((pair): [string, string] => {
    const [name = '', ...rest] = pair.split('=')
    return [name, rest.join('=')]
  })
  try {
    const words = { from, to, groupBy: by, timeZone: values['time-zone'], filter: named }
    const query = { ...readUsageQuery(words, now), projectId: project }
    checkUsageQuery(query)
    return query
  } catch (error) {
    if (error instanceof GatewayError) throw new UsageError(error.message)
    throw error
  }
}

async function look(
  config: Config,
  query: UsageQuery,
  now: number,
): Promise<{ location: string; report: UsageReport }> {
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { reportUsage } = await import('../engine/usage/report.ts')
  const read = (q: Queries) => reportUsage(q, query, now)
  const { location, seen } = await inspectDatabase(config, read)
  return { location, report: seen }
}
