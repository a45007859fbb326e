import { systemClock } from '../clock.ts'
import type { UsageQuery } from '../engine/usage/query.ts'
import { GatewayError } from '../errors.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'

export const usage: Command = {
  name: 'usage',
  summary: 'Report usage and cost by day, model, label and more',
  usage: '[options]',
  options: {
    '--from <time>': '2026-11, 2026-11-20 or 2026-11-20T08:00:00Z (default: this month)',
    '--to <time>': 'End of the period, exclusive (default: now)',
    '--by <list>': 'Dimensions, separated by commas (default: day)',
    '--filter <list>': 'provider=openai,model=gpt-image-2; values of one name are alternatives',
    '--time-zone <name>': 'Such as Europe/Berlin (default: UTC)',
    '--project <id>': 'ID of a project (default: all projects)',
    '--csv': 'Print CSV',
    '--json': 'Print JSON',
  },
  notes: {
    Dimensions: {
      aggregated: 'hour, day, month, project, api_key, provider, model: fast for any period',
      others: 'user, operation, quality, size, status, metadata.<label>: every attempt is read',
    },
    'Read-only: a server may be running': { database: 'Read in one transaction' },
  },
  examples: [
    'darkroom usage --by day,model',
    'darkroom usage --from 2026-11 --to 2026-12 --by provider --time-zone Europe/Berlin',
    'darkroom usage --by metadata.team --filter status=succeeded --csv > november.csv',
  ],
  run: runUsage,
}

async function runUsage({ values, flags }: Arguments, context: CommandContext): Promise<number> {
  if (flags.size > 1) throw new UsageError('Pass either --csv or --json.')
  const now = systemClock.now()
  const query = await readQuery(values, now)
  const config = await readConfig(context)
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { reportUsage } = await import('../engine/usage/report.ts')
  const { location, result } = await inspectDatabase(config, (q) => reportUsage(q, query, now))
  const { toCsv, toJson, toPage } = await import('./usage/formats.ts')
  const { out } = context
  if (flags.has('csv')) out.write(toCsv(query, result))
  else if (flags.has('json')) out.write(toJson(query, result))
  else out.write(toPage(query, result, { location, paint: out.paint }))
  return EXIT.ok
}

async function readQuery(values: Arguments['values'], now: number): Promise<UsageQuery> {
  const { readUsageQuery } = await import('../http/usage/query-text.ts')
  const { checkUsageQuery } = await import('../engine/usage/query.ts')
  const { from, to, by = 'day', filter = '', project = null, 'time-zone': timeZone } = values
  const pairs = filter.split(',').filter((pair) => pair !== '')
  const filters = pairs.map((pair): [string, string] => {
    const [name = '', ...rest] = pair.split('=')
    return [name, rest.join('=')]
  })
  try {
    const texts = { from, to, groupBy: by, timeZone, filter: filters }
    const query = { ...readUsageQuery(texts, now), projectId: project }
    checkUsageQuery(query)
    return query
  } catch (error) {
    if (error instanceof GatewayError) throw new UsageError(error.message)
    throw error
  }
}
