import { z } from 'zod'
import { listProjects, URL_OPTION, withAdminClient, type AdminClient } from './admin-client.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { indented, renderTable } from './table.ts'

export const projects: Command = {
  name: 'projects',
  summary: 'List and create projects',
  usage: '[list] | create <name>',
  takesPositionals: true,
  options: [URL_OPTION],
  notes: [
    {
      title: 'Projects',
      lines: [
        ['isolation', 'A project owns API keys, tasks, images and webhooks. It cannot see other projects'],
        ['default', 'The project "default" exists from the start'],
      ],
    },
  ],
  examples: ['darkroom projects', 'darkroom projects create shop', 'darkroom keys create --project shop'],
  run: runProjects,
}

async function runProjects({ positionals, values }: Arguments, context: CommandContext): Promise<number> {
  const [verb = 'list', ...name] = positionals
  const isValid = verb === 'create' ? name.length > 0 : verb === 'list' && name.length === 0
  if (!isValid) throw new UsageError('`darkroom projects` takes one of: list, create <name>.')
  return withAdminClient(context, values['url'], (client) =>
    verb === 'create' ? create(client, name.join(' '), context) : list(client, context),
  )
}

async function list(client: AdminClient, { out }: CommandContext): Promise<void> {
  const all = await listProjects(client)
  const rows = all.map(({ id, name, createdAt }) => [name, id, createdAt.slice(0, 10)])
  const columns = ['Name', 'ID', 'Created'].map((head) => ({ head }))
  out.write(indented(renderTable({ columns, rows }, out.paint)))
}

async function create(client: AdminClient, name: string, { out }: CommandContext): Promise<void> {
  const { createProject } = await client.run({
    query: 'mutation ($name: String!) { createProject(name: $name) { id } }',
    variables: { name },
    shape: z.object({ createProject: z.object({ id: z.string() }) }),
  })
  out.write(
    `Created project ${name}: ${createProject.id}. Create a key with \`darkroom keys create --project "${name}"\`.\n`,
  )
}
