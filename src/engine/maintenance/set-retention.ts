import { getProject, putProjectRetention } from '../../db/access/projects.ts'
import type { ProjectRow } from '../../db/tables/tables.ts'
import type { ProjectRetention } from '../../domain.ts'
import { badInput } from '../../errors.ts'
import { formatCount } from '../../quantity.ts'
import { deciderOf, recordDecision, type Access } from '../access/access.ts'
import type { Deps } from '../deps.ts'
import { MAX_RETENTION_MS, MIN_RETENTION } from './retention.ts'

/** Null: as for the server; an absent one stays. */
export type RetentionChange = { [Name in keyof ProjectRetention]?: number | null | undefined }

const NONE: ProjectRetention = { tasksMs: null, eventsMs: null, partialImagesMs: null, deliveriesMs: null }

const NAMES = ['tasksMs', 'eventsMs', 'partialImagesMs', 'deliveriesMs'] as const

/** The next sweep applies it. Audited. Throws BAD_USER_INPUT. */
export async function setRetention(
  { db, clock }: Pick<Deps, 'clock' | 'db'>,
  by: Access,
  change: RetentionChange,
): Promise<ProjectRow> {
  const given = NAMES.flatMap((name): [typeof name, number | null][] => {
    const value = change[name]
    return value === undefined ? [] : [[name, value]]
  })
  for (const [name, value] of given)
    if (value !== null && !(value >= MIN_RETENTION[name] && value <= MAX_RETENTION_MS))
      throw badInput(
        name,
        `${name} is ${value}; it must be ${formatCount(MIN_RETENTION[name])} to ${formatCount(MAX_RETENTION_MS)} ` +
          'milliseconds, or null for the setting of the server.',
      )
  const { projectId } = by
  const at = clock.now()
  return db.tx(async (q) => {
    const { retention } = await getProject(q, projectId)
    const detail = Object.fromEntries(given.map(([name, value]) => [name, value?.toString() ?? null]))
    const decision = { projectId, at, action: 'setRetention', subject: projectId, detail }
    await recordDecision(q, deciderOf(by), decision)
    return putProjectRetention(q, projectId, { ...NONE, ...retention, ...Object.fromEntries(given) })
  })
}
