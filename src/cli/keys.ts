import { z } from 'zod'
import { systemClock } from '../clock.ts'
import { readExpiry, readScopes } from './access/input.ts'
import { findProject, listProjects, type Project } from './access/project.ts'
import { indented, renderFacts, renderTable } from './table.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { openDesk, type Desk } from './admin-client.ts'
import { EXIT, UsageError } from './exit.ts'

/** `darkroom keys`. */
export const keys: Command = {
  name: 'keys',
  summary: 'Make, list and revoke the API keys of a project',
  usage: 'create [--project <p>] [--name <n>] [--scopes <list>] [--expires 90d] | list | revoke <id>',
  takesWords: true,
  options: [
    { name: 'project', value: '<name>', about: 'by name or id; the one named default when left out' },
    { name: 'name', value: '<text>', about: 'for people: where the key is used' },
    { name: 'scopes', value: '<list>', about: 'generate, read, report, admin; generate,read by default' },
    { name: 'expires', value: '<when>', about: '90d, 12h, 4w or 2027-01-31; never by default' },
    { name: 'revoked', value: null, about: 'list revoked ones, too' },
    { name: 'url', value: '<address>', about: 'of a running server, to ask it instead of the database' },
  ],
  notes: [
    {
      title: 'Where',
      lines: [
        ['SQLite', 'in the database, or by the server that has it open: with DARKROOM_ADMIN_KEY'],
        ['PostgreSQL', 'in the database; servers notice at once'],
      ],
    },
  ],
  examples: ['darkroom keys create --name shop', 'darkroom keys list', 'darkroom keys revoke key_01k…'],
  run: runKeys,
}

async function runKeys(input: Arguments, around: Surroundings): Promise<number> {
  const { words, values } = input
  const [what, id, ...more] = words
  const isOne = what === 'revoke' ? id !== undefined && more.length === 0 : id === undefined
  const run = what === undefined ? undefined : VERBS.get(what)
  if (!run || !isOne) throw new UsageError('`darkroom keys` takes one of: create, list, revoke <id>.')
  // What makes no sense is said before anything is opened.
  const wish = {
    scopes: readScopes(values['scopes']),
    expiresAt: readExpiry(values['expires'], systemClock.now()),
  }
  const desk = await openDesk(around, values['url'])
  try {
    await run(desk, { ...input, wish }, around)
    return EXIT.ok
  } finally {
    await desk.close()
  }
}

const VERBS = new Map([
  ['create', create],
  ['list', list],
  ['revoke', revoke],
])

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

/** What is asked for, its scopes and its end read. */
interface Asked extends Arguments {
  wish: { scopes: readonly string[] | undefined; expiresAt: string | undefined }
}

async function create(desk: Desk, { values, wish }: Asked, { out }: Surroundings): Promise<void> {
  const project = await findProject(desk, values['project'])
  const { createApiKey } = await desk.ask({
    query: `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { ${FIELDS} } } }`,
    variables: { input: { name: values['name'] ?? 'command line', ...wish } },
    project: project.id,
    shape: z.object({ createApiKey: z.object({ key: z.string(), apiKey: KEY }) }),
  })
  const { key, apiKey } = createApiKey
  const facts = [
    ['Id', apiKey.id],
    ['Project', project.name],
    ['Scopes', scopesOf(apiKey)],
    ['Expires', minuteOf(apiKey.expiresAt) ?? 'never'],
  ] as const
  const lines = indented(renderFacts(facts, out.paint))
  const hint = 'Keep it now: it is stored nowhere. Send it as "Authorization: Bearer <key>".'
  out.write(`\n  ${out.paint('bold', key)}\n\n${lines}\n  ${out.paint('dim', hint)}\n\n`)
}

async function list(desk: Desk, { values, switches }: Arguments, { out }: Surroundings): Promise<void> {
  const projects = values['project'] ? [await findProject(desk, values['project'])] : await listProjects(desk)
  const rows: string[][] = []
  for (const project of projects) {
    const all = await keysOf(desk, project, switches.has('revoked'))
    rows.push(...all.map((key) => rowOf(project, key)))
  }
  if (rows.length === 0) {
    out.write(`There are no keys in ${desk.location}. Make one with \`darkroom keys create\`.\n`)
    return
  }
  const columns = ['project', 'id', 'name', 'begins', 'may', 'expires', 'last used'].map((head) => ({ head }))
  out.write(indented(renderTable({ columns, rows }, out.paint)))
}

async function keysOf(desk: Desk, { id }: Project, includeRevoked: boolean): Promise<Key[]> {
  const { project } = await desk.ask({
    query: `query ($includeRevoked: Boolean!) { project { keys(includeRevoked: $includeRevoked) { ${FIELDS} } } }`,
    variables: { includeRevoked },
    project: id,
    shape: z.object({ project: z.object({ keys: z.array(KEY) }) }),
  })
  return project.keys
}

function rowOf(project: Project, key: Key): string[] {
  const end = key.revokedAt === null ? (minuteOf(key.expiresAt) ?? 'never') : 'revoked'
  return [
    project.name,
    key.id,
    key.name,
    key.prefix,
    scopesOf(key),
    end,
    minuteOf(key.lastUsedAt) ?? 'not yet',
  ]
}

async function revoke(desk: Desk, { words: [, id] }: Arguments, { out }: Surroundings): Promise<void> {
  const { revokeApiKey } = await desk.ask({
    query: 'mutation ($id: ID!) { revokeApiKey(id: $id) { name prefix } }',
    variables: { id },
    shape: z.object({ revokeApiKey: z.object({ name: z.string(), prefix: z.string() }) }),
  })
  const { name, prefix } = revokeApiKey
  out.write(
    `${id}, ${prefix}… (${name}), is revoked. Whoever is connected with it is cut off within 5 seconds.\n`,
  )
}

function scopesOf({ scopes }: Key): string {
  return scopes.map((scope) => scope.toLowerCase()).join(', ')
}

/** `2027-01-31 00:00`, in UTC; null for no moment. */
function minuteOf(moment: string | null): string | null {
  return moment?.slice(0, 16).replace('T', ' ') ?? null
}
