import { z } from 'zod'
import { listProjects } from './access/project.ts'
import { indented, renderTable } from './table.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { openDesk, type Desk } from './admin-client.ts'
import { EXIT, UsageError } from './exit.ts'

/** `darkroom projects`. */
export const projects: Command = {
  name: 'projects',
  summary: 'List the projects, or make one',
  usage: '[create <name>] [--url <address>]',
  takesWords: true,
  options: [
    { name: 'url', value: '<address>', about: 'of a running server, to ask it instead of the database' },
  ],
  notes: [
    {
      title: 'A project',
      lines: [
        ['owns', 'API keys, tasks, images and webhooks, and sees nothing of the others'],
        ['default', 'exists from the start'],
      ],
    },
  ],
  examples: ['darkroom projects', 'darkroom projects create shop', 'darkroom keys create --project shop'],
  run: runProjects,
}

async function runProjects({ words, values }: Arguments, around: Surroundings): Promise<number> {
  const [verb = 'list', ...name] = words
  const isRight = verb === 'create' ? name.length > 0 : verb === 'list' && name.length === 0
  if (!isRight) throw new UsageError('`darkroom projects` takes nothing, or: create <name>.')
  const desk = await openDesk(around, values['url'])
  try {
    await (verb === 'create' ? create(desk, name.join(' '), around) : list(desk, around))
    return EXIT.ok
  } finally {
    await desk.close()
  }
}

async function list(desk: Desk, { out }: Surroundings): Promise<void> {
  const rows = (await listProjects(desk)).map(({ id, name, createdAt }) => [name, id, createdAt.slice(0, 10)])
  const columns = [{ head: 'name' }, { head: 'id' }, { head: 'since' }]
  out.write(indented(renderTable({ columns, rows }, out.paint)))
}

async function create(desk: Desk, name: string, { out }: Surroundings): Promise<void> {
  const { createProject } = await desk.ask({
    query: 'mutation ($name: String!) { createProject(name: $name) { id } }',
    variables: { name },
    shape: z.object({ createProject: z.object({ id: z.string() }) }),
  })
  out.write(
    `${name} is ${createProject.id}. Give it a key with \`darkroom keys create --project "${name}"\`.\n`,
  )
}
