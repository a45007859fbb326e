import { z } from 'zod'
import { CLIENT_OPTIONS, listProjects, withAdminClient, type AdminClient } from './admin-client.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import type { Output } from './output.ts'
import type { Paint } from './screen.ts'
import { indented, renderTable } from './table.ts'

export const projects: Command = {
  name: 'projects',
  summary: 'List and create projects',
  usage: '[list] | create <name>',
  takesPositionals: true,
  options: CLIENT_OPTIONS,
  notes: {
    Projects: {
      isolation: 'A project owns API keys, tasks, images and webhooks. It cannot see other projects',
      default: 'The project "default" exists from the start',
    },
  },
  examples: ['darkroom projects', 'darkroom projects create shop', 'darkroom keys create --project shop'],
  run: runProjects,
}

async function runProjects(input: Arguments, context: CommandContext): Promise<number> {
  const [verb = 'list', ...words] = input.positionals
  const name = words.join(' ')
  if (verb === 'list' && name === '')
    return withAdminClient(context, input, (client) => list(client, context.out.paint))
  if (verb === 'create' && name !== '')
    return withAdminClient(context, input, (client) => create(client, name))
  throw new UsageError('`darkroom projects` takes one of: list, create <name>.')
}

async function list(client: AdminClient, paint: Paint): Promise<Output> {
  const all = await listProjects(client)
  const rows = all.map(({ id, name, createdAt }) => [name, id, createdAt.slice(0, 10)])
  const text = indented(renderTable({ columns: ['Name', 'ID', 'Created'], rows }, paint))
  return { text, data: { projects: all } }
}

async function create(client: AdminClient, name: string): Promise<Output> {
  const { createProject } = await client.run({
    query: 'mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }',
    variables: { name },
    shape: z.object({ createProject: z.object({ project: z.object({ id: z.string() }) }) }),
  })
  const { id } = createProject.project
  const text = `Created project ${name}: ${id}. Create a key with \`darkroom keys create --project "${name}"\`.\n`
  return { text, data: { project: { id, name } } }
}
