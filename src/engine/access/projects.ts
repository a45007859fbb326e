import { findProjectsByName, insertProject } from '../../db/access/projects.ts'
import type { ProjectRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { Decider } from './access.ts'
import type { Deps } from '../deps.ts'
import { recordDecision } from './audit.ts'
import { checkName } from './keys.ts'

/** Creates a project without keys. Audited. Throws BAD_USER_INPUT, and CONFLICT when the name is in use. */
export async function createProject(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  by: Decider,
  name: string,
): Promise<ProjectRow> {
  checkName('name', name)
  const at = clock.now()
  const id = newId('prj', at)
  return db.tx(async (q) => {
    const [same] = await findProjectsByName(q, name)
    if (same)
      throw new GatewayError('CONFLICT', `The name ${JSON.stringify(name)} is used by ${same.id}.`, {
        field: 'name',
      })
    await recordDecision(q, by, { projectId: id, at, action: 'createProject', subject: id, detail: { name } })
    return insertProject(q, { id, name, createdAt: at })
  })
}
