import { putKeyLimits } from '../../db/access/api-keys.ts'
import { putProjectLimits } from '../../db/access/projects.ts'
import { NO_LIMITS, type Limits } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { getOwner, recordDecision, type Decider } from './access.ts'
import type { Deps } from '../deps.ts'

/** Null removes a limit; an absent one stays. */
export type LimitsChange = { [Name in keyof Limits]?: Limits[Name] | undefined }

/**
 * Absent fields stay; null removes all limits. They apply within seconds in every process. Throws
 * BAD_USER_INPUT, FORBIDDEN and NOT_FOUND.
 */
export async function setLimits(
  { db, clock, defaultLimits }: Pick<Deps, 'db' | 'clock' | 'defaultLimits'>,
  by: Decider,
  id: string,
  change: LimitsChange | null,
): Promise<Limits | null> {
  const entries = Object.entries(change ?? {}).flatMap(([name, value]): [string, number | null][] =>
    value === undefined ? [] : [[name, value]],
  )
  for (const [name, value] of entries)
    if (value !== null && !(Number.isSafeInteger(value) && value >= 0))
      throw badInput(
        `limits.${name}`,
        `${name} is ${value}; it must be a whole number from 0, or null for no limit.`,
      )
  const at = clock.now()
  return db.tx(async (q) => {
    const { kind, projectId, limits: before } = await getOwner(q, by, id)
    // The first own limits of a project begin with those that applied so far.
    const base = before ?? (kind === 'PROJECT' ? defaultLimits : null) ?? NO_LIMITS
    const limits = change && { ...base, ...Object.fromEntries(entries) }
    if (kind === 'PROJECT') await putProjectLimits(q, id, limits)
    else await putKeyLimits(q, id, limits)
    const detail = Object.fromEntries(
      entries.map(([name, value]) => [name, value === null ? null : `${value}`]),
    )
    await recordDecision(q, by, { projectId, at, action: 'setLimits', subject: id, detail })
    return limits
  })
}
