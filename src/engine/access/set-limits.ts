import { putKeyLimits } from '../../db/access/api-keys.ts'
import { putProjectLimits } from '../../db/access/projects.ts'
import type { Limits } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { getOwner, recordDecision, type Decider } from './access.ts'
import type { Deps } from '../deps.ts'

/** Null removes them. They apply within seconds everywhere. Throws BAD_USER_INPUT, FORBIDDEN and NOT_FOUND. */
export async function setLimits(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  by: Decider,
  id: string,
  limits: Limits | null,
): Promise<Limits | null> {
  const entries: [string, number | null][] = Object.entries(limits ?? {})
  for (const [name, value] of entries)
    if (value !== null && !(Number.isSafeInteger(value) && value >= 0))
      throw badInput(
        `limits.${name}`,
        `${name} is ${value}; it must be a whole number from 0, or null for no limit.`,
      )
  const at = clock.now()
  await db.tx(async (q) => {
    const { kind, projectId } = await getOwner(q, by, id)
    if (kind === 'PROJECT') await putProjectLimits(q, id, limits)
    else await putKeyLimits(q, id, limits)
    const detail = Object.fromEntries(
      entries.map(([name, value]) => [name, value === null ? null : `${value}`]),
    )
    await recordDecision(q, by, { projectId, at, action: 'setLimits', subject: id, detail })
  })
  return limits
}
