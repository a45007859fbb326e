import { AsyncLocalStorage } from 'node:async_hooks'

/** What is learned of a request on its way, for its line in the log. */
export interface RequestNotes {
  /** The name its client gave the GraphQL operation; null when it gave none. */
  operation?: string | null
}

const notes = new AsyncLocalStorage<RequestNotes>()

/** Runs `work`, in which `notesHere` answers these notes. */
export function withNotes<T>(own: RequestNotes, work: () => Promise<T>): Promise<T> {
  return notes.run(own, work)
}

/** The notes of the request that is being answered; undefined outside of any, as for a socket. */
export function notesHere(): RequestNotes | undefined {
  return notes.getStore()
}
