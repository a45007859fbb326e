import { AsyncLocalStorage } from 'node:async_hooks'

const ofClient = new AsyncLocalStorage<true>()

/**
 * Requests wait only seconds for the database: clients can retry. Other work goes first and waits longer, because it
 * records what was paid.
 */
export function runForClient<T>(work: () => T): T {
  return ofClient.run(true, work)
}

/** For a probe: the wait of requests says nothing about the database. */
export function runForEngine<T>(work: () => T): T {
  return ofClient.exit(work)
}

export function isForClient(): boolean {
  return ofClient.getStore() === true
}
