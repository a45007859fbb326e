import type { ProjectRetention } from '../../domain.ts'

/** After the end, in milliseconds; null: forever. */
export interface Retention {
  /** Of the task, which is then deleted with its images. */
  tasksMs: number | null
  /** Of the task. */
  eventsMs: number | null
  /** Of the task; at most `eventsMs`: events refer to them. */
  partialImagesMs: number | null
  /** Of the delivery, with its tries. */
  deliveriesMs: number | null
  /** Of the attempt. */
  callbacksMs: number | null
}

/** Configuration minimums: within them, invariants check all events and deliveries. */
export const MIN_RETENTION = {
  tasksMs: 3_600_000,
  eventsMs: 3_600_000,
  partialImagesMs: 3_600_000,
  deliveriesMs: 7 * 86_400_000,
} as const

/** A hundred years. */
export const MAX_RETENTION_MS = 36_500 * 86_400_000

/** A project's own settings first. */
export function effectiveRetention(server: Retention, own: ProjectRetention | null): ProjectRetention {
  const eventsMs = own?.eventsMs ?? server.eventsMs
  const partialImagesMs = own?.partialImagesMs ?? server.partialImagesMs
  return {
    tasksMs: own?.tasksMs ?? server.tasksMs,
    eventsMs,
    partialImagesMs: eventsMs === null ? partialImagesMs : Math.min(partialImagesMs ?? Infinity, eventsMs),
    deliveriesMs: own?.deliveriesMs ?? server.deliveriesMs,
  }
}
