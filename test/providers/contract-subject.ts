// What a provider tells the contract about itself, and what every promise needs to be tried.
import { inspect } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import type { Charged, TaskErrorCode } from '../../src/domain.ts'
import type { Failure, FailureKind } from '../../src/providers/error.ts'
import type { ProviderRequestImage, Provider } from '../../src/providers/provider.ts'
import { submitAndCheck, failureOf, openCall, requestOf, type Developed } from './call.ts'
import type { Setting } from './contract-settings.ts'

/** The other side of a provider. `M` is the type of its failure scenarios. */
export interface Upstream<M> {
  /** The scenarios of the next requests; success when the list has run out. */
  script(...scenarios: M[]): void
  /** How many requests have arrived. */
  orders(): number
  /** The client ref of each request that arrived. */
  refs(): string[]
  /** Every picture as it left the other side. */
  painted(): Promise<Buffer[]>
  /**
   * What is missing of a setting; undefined when nothing is. Called once for each request after its images came, and first
   * for one with default settings.
   */
  objection(setting: Setting, came: Developed): Promise<string | undefined>
  close(): Promise<void>
}

/** One row of a failure table; it reads "{says} is {kind}, as {code}, charged {charged}". */
export type FailureRow<M> = [
  says: string,
  kind: FailureKind,
  code: TaskErrorCode,
  charged: Charged,
  scenario: M,
  /** Which of these the failure may name; undefined stands for none. */
  statuses: readonly (number | undefined)[],
]

/** What is particular about a provider, or about one mode of it. */
export interface Subject<M> {
  /** A provider with the `secrets` at a fresh upstream. The contract closes both. */
  open(): Promise<{ provider: Provider; upstream: Upstream<M> }>
  /** Every credential that `open` configures: long, and like nothing else. */
  secrets: readonly string[]
  /** Only where the upstream gives requests no id of its own. */
  givesNoRequestId?: true
  /** Each documented or assumed failure of a submit. */
  failures: readonly FailureRow<M>[]
  /** Rate limits, with the wait that is asked for. */
  waits: readonly [form: string, scenario: M, retryAfterMs: number | undefined][]
  /** Scenarios in which a request is carried out and its reply lost. */
  cut: readonly M[]
  /** No connection. */
  unreached: M
  /** An answer that does not come. */
  hang: M
  /** The models whose settings are tried, where trying all that are offered takes too long. */
  models?: readonly string[]
  /** An input image that can be worked on; any bytes by default. */
  input?: (bytes: Buffer) => ProviderRequestImage
}

/** A fresh upstream and a provider at it, closed when the test ends. */
export async function openSubject<U extends { close(): Promise<void> }>(subject: {
  open(): Promise<{ provider: Provider; upstream: U }>
}): Promise<{ provider: Provider; upstream: U }> {
  const { provider, upstream } = await subject.open()
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

/** How a request with default settings fails in these scenarios. */
export async function failPlainly<M>(
  subject: Pick<Subject<M>, 'secrets'> & {
    open(): Promise<{ provider: Provider; upstream: Pick<Upstream<M>, 'script' | 'close'> }>
  },
  ...scenarios: M[]
): Promise<Failure> {
  const { provider, upstream } = await openSubject(subject)
  upstream.script(...scenarios)
  const { call } = await openCall()
  const failure = await failureOf(submitAndCheck(provider, requestOf(), call))
  expectNoSecret(failure, subject)
  return failure
}

/** How often anything was charged. */
export function total(charges: ReadonlyMap<string, number>): number {
  return [...charges.values()].reduce((sum, times) => sum + times, 0)
}

/** Nothing of a failure, its cause included, shows a secret, and its message shows no markup. */
export function expectNoSecret(failure: Failure, { secrets }: { secrets: readonly string[] }): void {
  const text = inspect(failure, { depth: 10 })
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  expect(failure.message).not.toMatch(/<\w+>/)
  expect(failure.message.length).toBeLessThan(1000)
}
