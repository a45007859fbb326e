import { z } from 'zod'

/** Without control characters and halves of surrogate pairs. */
const ID = /^[^\p{Cc}\p{Cs}\s][^\p{Cc}\p{Cs}]{0,199}$/u

/** An id in a reply; null when it is missing or unreadable. */
export const idField = z.string().regex(ID).nullish().catch(null)

/** The same where an id may be a number. */
export const idOrNumber = z
  .union([z.string().regex(ID), z.int()])
  .transform(String)
  .nullish()
  .catch(null)

/** Whether a record names another task than the one that was asked about. An unreadable id names none. */
export function isAnotherTask(id: unknown, remoteId: string): boolean {
  if (typeof id === 'number') return /^\d+$/.test(remoteId) && String(id) !== remoteId
  return typeof id === 'string' && ID.test(id) && id !== remoteId
}
