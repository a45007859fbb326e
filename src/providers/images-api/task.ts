import { z } from 'zod'

/** No control characters, no half surrogate pairs. */
const ID = /^[^\p{Cc}\p{Cs}\s][^\p{Cc}\p{Cs}]{0,199}$/u

/** Null if missing or unreadable. */
export const idField = z.string().regex(ID).nullish().catch(null)

/** May be a number. */
export const idOrNumber = z
  .union([z.string().regex(ID), z.int()])
  .transform(String)
  .nullish()
  .catch(null)

/** Not the task that was asked about. An unreadable id names none. */
export function isAnotherTask(id: unknown, remoteId: string): boolean {
  if (typeof id === 'number') return /^\d+$/.test(remoteId) && String(id) !== remoteId
  return typeof id === 'string' && ID.test(id) && id !== remoteId
}
