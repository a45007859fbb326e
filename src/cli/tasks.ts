import { systemClock } from '../clock.ts'
import { CHARGES, TASK_STATUSES } from '../domain.ts'
import { didYouMean } from '../nearest.ts'
import type { Arguments, Command, CommandContext } from './command.ts'
import { EXIT, UsageError } from './command.ts'
import { print } from './output.ts'
import { KEYS_NOTE, openServer, SERVER_OPTIONS, visibleProjects, type ServerClient } from './server-client.ts'
import { LIST_TASKS, type ListedTask } from './tasks/operations.ts'
import { taskTable } from './tasks/table.ts'
import { readTime } from './time-option.ts'

export const tasks: Command = {
  name: 'tasks',
  summary: 'List tasks, newest first',
  usage: '[options]',
  options: {
    '--status <list>': 'queued, running, succeeded, failed, canceled, outcome_unknown',
    '--search <words>': 'Words of the prompt; water* finds words that begin so',
    '--model <list>': 'Names of models, separated by commas',
    '--provider <list>': 'Names of providers that worked on the task',
    '--user <list>': 'End users, as the requests named them',
    '--label <list>': '<key>=<value>, separated by commas: tasks with all of these labels',
    '--charged <list>': 'yes, no, unknown',
    '--warnings': 'Only tasks with warnings',
    '--from <time>': 'Created then or later: 12h, 7d, 2026-11-20 or 2026-11-20T08:00:00Z',
    '--to <time>': 'Created before',
    '--oldest': 'Oldest first',
    '--limit <number>': 'Tasks per page, 1 to 100 (default: 20)',
    '--after <cursor>': 'Next page: the cursor that the previous one printed',
    '--all': 'All pages',
    '--project <name>': 'Operators: name or ID of a project (default: "default")',
    ...SERVER_OPTIONS,
  },
  notes: KEYS_NOTE,
  examples: [
    'darkroom tasks --status failed,outcome_unknown --from 24h',
    'darkroom tasks --search "lighthouse dusk" --charged yes',
    'darkroom tasks --label team=shop --all --json > tasks.json',
  ],
  run: runTasks,
}

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100

async function runTasks(input: Arguments, context: CommandContext): Promise<number> {
  const { values, flags } = input
  const isAll = flags.has('all')
  const limit = readLimit(values['limit'] ?? String(isAll ? MAX_LIMIT : DEFAULT_LIMIT))
  const filter = readFilter(input)
  await using opened = new AsyncDisposableStack()
  const client = opened.adopt(await openServer(context, input), (it) => it.close())
  const projectId = await projectOf(client, values['project'])
  const found: ListedTask[] = []
  let next: string | null = values['after'] ?? null
  for (let hasMore = true; hasMore;) {
    const variables: Record<string, unknown> = {
      filter,
      orderBy: flags.has('oldest') ? 'CREATED_AT_ASC' : 'CREATED_AT_DESC',
      first: limit,
      after: next,
    }
    const page = await client.run({ ...LIST_TASKS, variables, ...(projectId && { projectId }) })
    found.push(...page.tasks.nodes)
    next = page.tasks.pageInfo.hasNextPage ? page.tasks.pageInfo.endCursor : null
    hasMore = isAll && next !== null
  }
  print(context.out, input, { text: pageText(found, next, context), data: { tasks: found, next } })
  return EXIT.ok
}

function pageText(found: readonly ListedTask[], next: string | null, { out }: CommandContext): string {
  if (found.length === 0) return 'There are no such tasks.\n'
  const more = next === null ? '' : `\n  ${out.paint('dim', `More tasks: add --after ${next}`)}\n`
  return taskTable(found, out) + more
}

/** Undefined: the caller's project. */
async function projectOf(client: ServerClient, name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined
  const [project] = await visibleProjects(client, name)
  return project?.id
}

/** GraphQL input `TaskFilter`. Throws UsageError. */
function readFilter({ values, flags }: Arguments): Record<string, unknown> {
  const { status, search, model, provider, user, label, charged, from, to } = values
  const now = systemClock.now()
  return {
    ...(status !== undefined && { statuses: readWords('--status', status, TASK_STATUSES) }),
    ...(search !== undefined && { search }),
    ...(model !== undefined && { models: listOf(model) }),
    ...(provider !== undefined && { providers: listOf(provider) }),
    ...(user !== undefined && { users: listOf(user) }),
    ...(label !== undefined && { metadata: listOf(label).map(readLabel) }),
    ...(charged !== undefined && { charged: readWords('--charged', charged, CHARGES) }),
    ...(flags.has('warnings') && { hasWarnings: true }),
    ...(from !== undefined && { createdFrom: readTime('--from', from, now) }),
    ...(to !== undefined && { createdTo: readTime('--to', to, now) }),
  }
}

function readLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new UsageError(`--limit is "${text}"; it must be a whole number from 1 to ${MAX_LIMIT}.`)
}

function readWords<Word extends string>(option: string, text: string, allowed: readonly Word[]): Word[] {
  return listOf(text).map((word) => {
    const found = allowed.find((one) => one === word.toUpperCase())
    if (found !== undefined) return found
    const known = allowed.map((one) => one.toLowerCase())
    throw new UsageError(
      `${option} contains "${word}"; it must be of ${known.join(', ')}.${didYouMean(word, known)}`,
    )
  })
}

function readLabel(text: string): { key: string; value: string } {
  const [key = '', ...value] = text.split('=')
  if (key !== '' && value.length > 0) return { key, value: value.join('=') }
  throw new UsageError(`--label contains "${text}"; it must be <key>=<value>.`)
}

function listOf(text: string): string[] {
  return text.split(',').map((item) => item.trim())
}
