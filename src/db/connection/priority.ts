import { AsyncLocalStorage } from 'node:async_hooks'

/** `step` is the identity of work that shares time limits. */
interface ClientWork {
  step?: object
}

const ofClient = new AsyncLocalStorage<ClientWork>()

/**
 * Requests wait only seconds for the database: clients can retry. Other work goes first and waits longer, because it
 * records what was paid.
 */
export function runForClient<T>(work: () => T): T {
  return ofClient.run({}, work)
}

/** As `runForClient`, with one time limit for all uses of a PostgreSQL pool, such as those of a mutation. */
export function runAsStep<T>(work: () => T): T {
  return ofClient.run({ step: {} }, work)
}

/** For a probe: the wait of requests says nothing about the database. */
export function runForEngine<T>(work: () => T): T {
  return ofClient.exit(work)
}

export function isForClient(): boolean {
  return ofClient.getStore() !== undefined
}

export function currentStep(): object | undefined {
  return ofClient.getStore()?.step
}
