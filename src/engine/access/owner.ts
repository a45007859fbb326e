import { findAnyKey, findKey } from '../../db/access/api-keys.ts'
import type { Queries } from '../../db/connection/database.ts'
import { findProject } from '../../db/access/projects.ts'
import { GatewayError } from '../../errors.ts'
import type { Decider } from './access.ts'

/** The project or key that has a budget or limits. */
export interface Owner {
  kind: 'PROJECT' | 'KEY'
  id: string
  projectId: string
}

/**
 * Returns the project or key with an id. Operators may decide about all of them, others only about keys of their own
 * project. Throws FORBIDDEN for a project, and NOT_FOUND.
 */
export async function getOwner(q: Queries, by: Decider, id: string): Promise<Owner> {
  if (id.startsWith('prj_')) {
    if (by.projectId !== null)
      throw new GatewayError(
        'FORBIDDEN',
        'Only operators set the budgets and limits of a project. You may set those of its keys.',
        { field: 'owner' },
      )
    if (await findProject(q, id)) return { kind: 'PROJECT', id, projectId: id }
  } else {
    const key = by.projectId === null ? await findAnyKey(q, id) : await findKey(q, by.projectId, id)
    if (key) return { kind: 'KEY', id, projectId: key.projectId }
  }
  throw new GatewayError(
    'NOT_FOUND',
    `There is no project or key ${JSON.stringify(id.slice(0, 60))}. Their ids begin with prj_ and key_.`,
    { field: 'owner' },
  )
}
