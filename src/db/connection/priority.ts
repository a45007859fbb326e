import { AsyncLocalStorage } from 'node:async_hooks'

const ofClient = new AsyncLocalStorage<true>()

/**
 * Marks the work of a request: it waits only seconds for the database, because the client can retry. Other
 * work goes first and waits longer, because it records what was paid.
 */
export function runForClient<T>(work: () => T): T {
  return ofClient.run(true, work)
}

/** For a probe: how long requests wait says nothing about the database. */
export function runForEngine<T>(work: () => T): T {
  return ofClient.exit(work)
}

export function isForClient(): boolean {
  return ofClient.getStore() === true
}
