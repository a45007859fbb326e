import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { systemClock } from '../clock.ts'
import { didYouMean } from '../nearest.ts'
import { SCOPES, type Scope } from '../domain.ts'
import {
  CLIENT_OPTIONS,
  getProject,
  listProjects,
  withAdminClient,
  type AdminClient,
  type Project,
} from './admin-client.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import type { Output } from './output.ts'
import { PAGE, readAllPages } from './pages.ts'
import type { Paint } from './screen.ts'
import { indented, renderFacts, renderTable } from './table.ts'

export const keys: Command = {
  name: 'keys',
  summary: 'Create, list and revoke API keys',
  usage: 'create | list | revoke <id>',
  takesPositionals: true,
  options: {
    '--project <name>': 'Name or ID of a project (create: default "default"; list: all)',
    '--name <text>': 'create: note about where the key is used',
    '--scopes <list>': 'create: generate, read, report, admin (default: generate,read)',
    '--expires <when>': 'create: 12h, 90d, 4w or a date such as 2027-01-31 (default: never)',
    '--revoked': 'list: include revoked keys',
    ...CLIENT_OPTIONS,
  },
  notes: {
    'While a server is running': {
      SQLite: 'The command calls that server, which needs the same DARKROOM_ADMIN_KEY',
      'the first key': 'Refused without DARKROOM_ADMIN_KEY: it would lock the operator out',
      PostgreSQL: 'The command uses the database; servers apply the change within seconds',
    },
  },
  examples: [
    'darkroom keys create --name shop --scopes generate,read --expires 90d',
    'darkroom keys list --project shop',
    'darkroom keys revoke key_01M8MB4NZSZ6BYA20PNRDFEWQX',
  ],
  run: runKeys,
}

async function runKeys(args: Arguments, context: CommandContext): Promise<number> {
  const { positionals, values, flags } = args
  const [verb = '', id = '', ...more] = positionals
  const { paint } = context.out
  // Reports invalid options before opening a database.
  const input = {
    name: values['name'] ?? 'command line',
    scopes: readScopes(values['scopes']),
    expiresAt: readExpiry(values['expires'], systemClock.now()),
  }
  const { project } = values
  const works: Record<string, (client: AdminClient) => Promise<Output>> = {
    create: (client) => create(client, project, input, paint),
    list: (client) => list(client, project, flags.has('revoked'), paint),
    revoke: (client) => revoke(client, id),
  }
  const work = Object.hasOwn(works, verb) ? works[verb] : undefined
  if (work === undefined || more.length > 0 || (verb === 'revoke') !== (id !== ''))
    throw new UsageError('`darkroom keys` takes one of: create, list, revoke <id>.')
  return withAdminClient(context, args, work)
}

function readScopes(text: string | undefined): Scope[] | undefined {
  return text?.split(',').map((item) => {
    const word = item.trim()
    const scope = SCOPES.find((one) => one === word.toUpperCase())
    if (scope) return scope
    const known = SCOPES.map((one) => one.toLowerCase())
    throw new UsageError(
      `--scopes contains "${word}"; scopes are ${known.join(', ')}.${didYouMean(word, known)}`,
    )
  })
}

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `90d` from now, or a day, as ISO date. */
function readExpiry(text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined
  const [, count = '', unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  const unitMs = UNITS_MS[unit]
  if (unitMs !== undefined) return new Date(now + Number(count) * unitMs).toISOString()
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  if (day && !Number.isNaN(day.getTime())) return day.toISOString()
  throw new UsageError(
    `--expires is "${text}"; it must be a duration or date such as 12h, 90d, 4w or 2027-01-31.`,
  )
}

const KEY = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})
const FIELDS = Object.keys(KEY.shape).join(' ')

type Key = z.output<typeof KEY>

async function create(
  client: AdminClient,
  projectName: string | undefined,
  input: object,
  paint: Paint,
): Promise<Output> {
  const project = await getProject(client, projectName)
  if (client.isServer) await refuseFirstKey(client)
  const { createApiKey } = await client.run({
    query: `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { ${FIELDS} } } }`,
    variables: { input },
    shape: z.object({ createApiKey: z.object({ key: z.string(), apiKey: KEY }) }),
    projectId: project.id,
  })
  const { key, apiKey } = createApiKey
  const facts = [
    ['ID', apiKey.id],
    ['Project', project.name],
    ['Scopes', scopesOf(apiKey)],
    ['Expires', formatMinute(apiKey.expiresAt)],
  ] as const
  const hint = 'Store the key now: it is not shown again. Send it as "Authorization: Bearer <key>".'
  const text = `\n  ${paint('bold', key)}\n\n${indented(renderFacts(facts, paint))}\n  ${paint('dim', hint)}\n\n`
  return { text, data: { key, apiKey: { ...apiKey, project } } }
}

/**
 * The first key ends the time without keys, for the operator too. Throws UsageError while no key is required.
 */
async function refuseFirstKey(client: AdminClient): Promise<void> {
  const { viewer } = await client.run({
    query: '{ viewer { isOpen } }',
    shape: z.object({ viewer: z.object({ isOpen: z.boolean() }) }),
  })
  if (!viewer.isOpen) return
  const adminKey = randomBytes(33).toString('base64url')
  throw new UsageError(
    `This would be the first key of ${client.location}, which has no operator key. From then on it would refuse every ` +
      `request without a key, also those of this command. Nothing was created. Either:\n` +
      `  1. Set DARKROOM_ADMIN_KEY for the server and for this command, restart the server, and try again. A new key:\n` +
      `       DARKROOM_ADMIN_KEY=${adminKey}\n` +
      `  2. Stop the server, and try again: the key is then created in the database. Without DARKROOM_ADMIN_KEY, further\n` +
      `     changes need the server to be stopped as well.`,
  )
}

async function list(
  client: AdminClient,
  projectName: string | undefined,
  includeRevoked: boolean,
  paint: Paint,
): Promise<Output> {
  const keysFound: (Key & { project: Project })[] = []
  for (const owner of await listProjects(client, projectName)) {
    const query = `query ($includeRevoked: Boolean!, ${PAGE.variables}) {
      project { keys(includeRevoked: $includeRevoked, ${PAGE.arguments}) { nodes { ${FIELDS} } ${PAGE.selection} } }
    }`
    const shape = z.object({ project: z.object({ keys: PAGE.shape(KEY) }) })
    const operation = { query, shape, variables: { includeRevoked }, projectId: owner.id }
    const found = await readAllPages(client, operation, ({ project }) => project.keys)
    keysFound.push(...found.map((key) => ({ ...key, project: owner })))
  }
  const data = { keys: keysFound }
  const rows = keysFound.map((key) => [key.project.name, ...cellsOf(key)])
  if (rows.length === 0)
    return {
      text: `There are no API keys in ${client.location}. Create one with \`darkroom keys create\`.\n`,
      data,
    }
  const columns = ['Project', 'ID', 'Name', 'Prefix', 'Scopes', 'Expires', 'Last used']
  return { text: indented(renderTable({ columns, rows }, paint)), data }
}

function cellsOf(key: Key): string[] {
  const end = key.revokedAt === null ? formatMinute(key.expiresAt) : 'revoked'
  return [key.id, key.name, key.prefix, scopesOf(key), end, formatMinute(key.lastUsedAt)]
}

async function revoke(client: AdminClient, id: string): Promise<Output> {
  const { revokeApiKey } = await client.run({
    query: 'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { name prefix } } }',
    variables: { id },
    shape: z.object({
      revokeApiKey: z.object({ apiKey: z.object({ name: z.string(), prefix: z.string() }) }),
    }),
  })
  const { name, prefix } = revokeApiKey.apiKey
  const text = `Revoked ${id} (${prefix}…, ${name}). Its connections are closed within 5 seconds.\n`
  return { text, data: { apiKey: { id, name, prefix } } }
}

function scopesOf({ scopes }: Key): string {
  return scopes.map((scope) => scope.toLowerCase()).join(', ')
}

/** `2027-01-31 00:00`, UTC; `never` for null. */
function formatMinute(date: string | null): string {
  return date?.slice(0, 16).replace('T', ' ') ?? 'never'
}
