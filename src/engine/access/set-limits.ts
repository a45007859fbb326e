import { putKeyLimits } from '../../db/access/api-keys.ts'
import { putProjectLimits } from '../../db/access/projects.ts'
import type { Limits } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import type { Decider } from './access.ts'
import type { Deps } from '../deps.ts'
import { recordDecision } from './audit.ts'
import { getOwner } from './owner.ts'

/**
 * Sets what a project or a key may ask for at a time; null takes its own limits away. Counts within seconds in every
 * process. On record. Throws BAD_USER_INPUT, FORBIDDEN and NOT_FOUND.
 */
export async function setLimits(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  by: Decider,
  id: string,
  limits: Limits | null,
): Promise<Limits | null> {
  for (const [name, value] of Object.entries(limits ?? {})) check(name, value)
  const at = clock.now()
  await db.tx(async (q) => {
    const { kind, projectId } = await getOwner(q, by, id)
    if (kind === 'PROJECT') await putProjectLimits(q, id, limits)
    else await putKeyLimits(q, id, limits)
    const detail = Object.fromEntries(
      Object.entries(limits ?? {}).map(([name, value]) => [name, value === null ? null : `${value}`]),
    )
    await recordDecision(q, by, { projectId, at, action: 'setLimits', subject: id, detail })
  })
  return limits
}

function check(name: string, value: number | null): void {
  if (value === null || (Number.isSafeInteger(value) && value >= 0)) return
  throw badInput(
    `limits.${name}`,
    `${name} is ${value}; it must be a whole number from 0, or null for no limit.`,
  )
}
