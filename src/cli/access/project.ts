import { z } from 'zod'
import type { Desk } from '../admin-client.ts'
import { UsageError } from '../exit.ts'

const PROJECT = z.object({ id: z.string(), name: z.string(), createdAt: z.string() })

export type Project = z.output<typeof PROJECT>

/** Every project, oldest first. */
export async function listProjects(desk: Desk): Promise<Project[]> {
  const shape = z.object({ projects: z.array(PROJECT) })
  const { projects } = await desk.ask({ query: '{ projects { id name createdAt } }', shape })
  return projects
}

/** The project that was meant by an id or a name; the default one by nothing. Throws UsageError. */
export async function findProject(desk: Desk, meant: string | undefined): Promise<Project> {
  const all = await listProjects(desk)
  const found =
    meant === undefined ? all.slice(0, 1) : all.filter(({ id, name }) => [id, name].includes(meant))
  const [project] = found
  if (project && found.length === 1) return project
  const which = project
    ? `${found.map(({ id }) => id).join(' and ')} are all called "${meant}". Name one by its id.`
    : `There is no project "${meant}". There are ${all.map(({ name }) => name).join(', ')}.`
  throw new UsageError(which)
}
