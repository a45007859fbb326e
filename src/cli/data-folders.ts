import { z } from 'zod'
import { CLIENT_OPTIONS, withAdminClient, type AdminClient } from './admin-client.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import type { Output } from './output.ts'
import type { Paint } from './screen.ts'
import { indented, renderTable } from './table.ts'

export const dataFolders: Command = {
  name: 'data-folders',
  summary: 'List the data folders of a database, and declare one lost',
  usage: '[list] | lost <id>',
  takesPositionals: true,
  options: CLIENT_OPTIONS,
  notes: {
    'Data folders': {
      answers: 'Answers of providers that were received before a crash are on the disk of their folder',
      lost: 'The machine or disk is gone: permitted resends no longer wait for its answers',
    },
  },
  examples: ['darkroom data-folders', 'darkroom data-folders lost fld_0123456789abcdef01234567'],
  run: runDataFolders,
}

const FOLDER = z.object({
  id: z.string(),
  host: z.string(),
  lastSeenAt: z.string(),
  lostAt: z.string().nullable(),
})

async function runDataFolders(input: Arguments, context: CommandContext): Promise<number> {
  const [verb = 'list', id, ...more] = input.positionals
  if (verb === 'list' && id === undefined)
    return withAdminClient(context, input, (client) => list(client, context.out.paint))
  if (verb === 'lost' && id !== undefined && more.length === 0)
    return withAdminClient(context, input, (client) => markLost(client, id))
  throw new UsageError('`darkroom data-folders` takes one of: list, lost <id>.')
}

async function list(client: AdminClient, paint: Paint): Promise<Output> {
  const { dataFolders: folders } = await client.run({
    query: '{ dataFolders { id host lastSeenAt lostAt } }',
    shape: z.object({ dataFolders: z.array(FOLDER) }),
  })
  const rows = folders.map(({ id, host, lastSeenAt, lostAt }) => [id, host, lastSeenAt, lostAt ?? 'no'])
  const columns = ['ID', 'Host', 'Last seen', 'Lost'].map((head) => ({ head }))
  return { text: indented(renderTable({ columns, rows }, paint)), data: { dataFolders: folders } }
}

async function markLost(client: AdminClient, id: string): Promise<Output> {
  const {
    markDataFolderLost: { dataFolder: folder },
  } = await client.run({
    query: 'mutation ($id: ID!) { markDataFolderLost(input: { id: $id }) { dataFolder { host } } }',
    variables: { id },
    shape: z.object({ markDataFolderLost: z.object({ dataFolder: z.object({ host: z.string() }) }) }),
  })
  const text = `Declared the data folder ${id} of ${folder.host} lost. Attempts that may be sent again no longer wait for it.\n`
  return { text, data: { dataFolder: { id, ...folder } } }
}
