import { findProjectsByName, insertProject } from '../../db/access/projects.ts'
import type { ProjectRow } from '../../db/tables/tables.ts'
import { conflict } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { recordDecision, type Decider } from './access.ts'
import type { Deps } from '../deps.ts'
import { checkName } from './keys.ts'

/** Throws BAD_USER_INPUT, and CONFLICT for a name in use. */
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
    if (same) throw conflict(`The name ${JSON.stringify(name)} is used by ${same.id}.`, 'name')
    await recordDecision(q, by, { projectId: id, at, action: 'createProject', subject: id, detail: { name } })
    return insertProject(q, { id, name, createdAt: at })
  })
}
