import { findAnyKey, findKey } from '../../db/access/api-keys.ts'
import type { Queries } from '../../db/connection/database.ts'
import { findProject } from '../../db/access/projects.ts'
import { GatewayError } from '../../errors.ts'
import type { Decider } from './access.ts'

/** Whose budget or limit something is. */
export interface Owner {
  kind: 'PROJECT' | 'KEY'
  id: string
  /** Of a key: its project's; of a project: its own id. */
  projectId: string
}

/**
 * The project or the key of an id, as far as `by` may decide about it: an operator about all, anybody else about the
 * keys of their own project. Throws FORBIDDEN for a project, and NOT_FOUND.
 */
export async function getOwner(q: Queries, by: Decider, id: string): Promise<Owner> {
  if (id.startsWith('prj_')) {
    if (by.projectId !== null)
      throw new GatewayError(
        'FORBIDDEN',
        'What a project may spend and ask for is for operators to decide. Keys of your own project are yours.',
        { field: 'owner' },
      )
    if (await findProject(q, id)) return { kind: 'PROJECT', id, projectId: id }
  } else {
    const key = by.projectId === null ? await findAnyKey(q, id) : await findKey(q, by.projectId, id)
    if (key) return { kind: 'KEY', id, projectId: key.projectId }
  }
  throw new GatewayError(
    'NOT_FOUND',
    `There is no project and no key ${JSON.stringify(id.slice(0, 60))}. Their ids begin with prj_ and key_.`,
    { field: 'owner' },
  )
}
