import { systemClock } from '../clock.ts'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { REVIEW_REASONS } from '../db/attempts/review.ts'
import { parseUsd } from '../money.ts'
import { parseDuration } from '../period.ts'
import { CLIENT_OPTIONS, withAdminClient } from './admin-client.ts'
import { adjustMany, resolveMany } from './attempts/settle.ts'
import { countAttempts, listAttempts, type ReviewOptions } from './attempts/show.ts'
import { readBillFile, readColumnMap } from './bills/file.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'

export const attempts: Command = {
  name: 'attempts',
  summary: 'Count, list and settle attempts of unknown outcome or cost',
  usage: '[count] | list | resolve not-charged|charged [<id> …] | adjust <file.csv|json>',
  takesPositionals: true,
  options: {
    '--provider <list>': 'Names of providers, separated by commas',
    '--reason <list>': 'outcome_unknown, cost_unknown, cost_estimated (default: all)',
    '--error <list>': 'Causes of failures, such as moderation_blocked',
    '--older-than <duration>': 'Ended or sent before: 12h, 7d or 4w',
    '--min-usd <amount>': 'Minimum of the estimated, else the held amount',
    '--max-usd <amount>': 'Maximum of that amount',
    '--all': 'resolve: all attempts that need review, without another option',
    '--note <text>': 'resolve, adjust: source of the information, for the audit log',
    '--map <list>': 'adjust: <field>=<column> for other column names, as for `darkroom bills`',
    '--project <name>': 'Name or ID of a project (default: all)',
    ...CLIENT_OPTIONS,
  },
  notes: {
    Resolutions: {
      'not-charged': 'Releases the hold. A task of unknown outcome is tried again',
      charged: 'Makes the estimated, else the held amount the cost. A task of unknown outcome fails',
    },
  },
  examples: [
    'darkroom attempts',
    'darkroom attempts list --provider openai --reason cost_unknown',
    'darkroom attempts resolve not-charged --error moderation_blocked --note "contract, section 4"',
    'darkroom attempts adjust corrections.csv --note "invoice 2026-11"',
  ],
  run: runAttempts,
}

async function runAttempts(input: Arguments, context: CommandContext): Promise<number> {
  const { positionals, values, flags } = input
  const [verb = 'count', ...rest] = positionals
  const { paint } = context.out
  const selection = readSelection(values)
  const { project } = values
  if ((verb === 'count' || verb === 'list') && rest.length === 0) {
    const show = verb === 'count' ? countAttempts : listAttempts
    return withAdminClient(context, input, (client) => show(client, project, selection, paint))
  }
  const note = values['note'] ?? ''
  if (verb === 'resolve') {
    const resolution = RESOLUTIONS[rest[0] ?? '']
    const ids = rest.slice(1)
    const isFiltered =
      Object.keys(selection.filter).length > 0 || selection.reasons !== null || flags.has('all')
    if (resolution === undefined) throw new UsageError('The resolution must be not-charged or charged.')
    if (ids.length > 0 === isFiltered)
      throw new UsageError('Pass IDs, or options that select attempts, or --all.')
    if (note === '') throw new UsageError('Pass the source of the information with --note.')
    return withAdminClient(context, input, (client) =>
      resolveMany(client, project, { ...selection, ids, resolution, note }),
    )
  }
  if (verb === 'adjust' && rest.length === 1) {
    if (note === '') throw new UsageError('Pass the source of the figures with --note.')
    const path = resolve(context.cwd, rest[0]!)
    const lines = readBillFile(
      await readFile(path, 'utf8'),
      path.endsWith('.json'),
      readColumnMap(values['map']),
    )
    return withAdminClient(context, input, (client) => adjustMany(client, project, lines, note))
  }
  throw new UsageError(`\`darkroom attempts\` takes one of: ${attempts.usage}.`)
}

const RESOLUTIONS: Readonly<Record<string, string>> = {
  'not-charged': 'NOT_CHARGED',
  charged: 'CHARGED_RESULT_LOST',
}

function readSelection(values: Arguments['values']): ReviewOptions {
  const { provider, reason, error, 'older-than': age, 'min-usd': min, 'max-usd': max } = values
  const reasons = listOf(reason)?.map((word) => word.toUpperCase()) ?? null
  const unknown = reasons?.find((one) => !REVIEW_REASONS.some((known) => known === one))
  if (unknown !== undefined)
    throw new UsageError(
      `--reason contains "${unknown}"; reasons are ${REVIEW_REASONS.join(', ').toLowerCase()}.`,
    )
  const ageMs = age === undefined ? undefined : parseDuration(age)
  if (age !== undefined && ageMs === undefined)
    throw new UsageError(`--older-than is "${age}"; it must be a duration such as 12h, 7d or 4w.`)
  const filter = {
    ...(provider !== undefined && { providers: listOf(provider) }),
    ...(error !== undefined && { errorCodes: listOf(error)?.map((word) => word.toUpperCase()) }),
    ...(ageMs !== undefined && { latestAt: new Date(systemClock.now() - ageMs).toISOString() }),
    ...(min !== undefined && { minMicros: readUsd('--min-usd', min) }),
    ...(max !== undefined && { maxMicros: readUsd('--max-usd', max) }),
  }
  return { reasons, filter }
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(',').map((word) => word.trim())
}

function readUsd(option: string, text: string): number {
  const micros = parseUsd(text)
  if (micros !== undefined && micros >= 0) return micros
  throw new UsageError(`${option} is "${text}"; it must be US dollars such as 0.25.`)
}
