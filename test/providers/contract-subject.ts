// The subject of the provider contract: the properties of a provider, and the upstream that its promises are tested with.
import { inspect } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import type { Charged, TaskErrorCode } from '../../src/domain.ts'
import type { Failure, FailureKind } from '../../src/providers/error.ts'
import type { ProviderRequestImage, Provider } from '../../src/providers/provider.ts'
import { submitAndCheck, failureOf, openCall, requestOf, type FinishedRequest } from './call.ts'
import type { Setting } from './contract-settings.ts'

/** The upstream of a provider. `M` is the type of its failure scenarios. */
export interface Upstream<M> {
  /** The scenarios of the next requests; success after the last one. */
  script(...scenarios: M[]): void
  /** The number of received requests. */
  requestCount(): number
  /** The client ref of each received request. */
  clientRefs(): string[]
  /** Every image as the upstream sent it. */
  sentImages(): Promise<Buffer[]>
  /**
   * Why a setting had no effect; undefined if it had. Called once per finished request, first for a request with default
   * settings.
   */
  problemWith(setting: Setting, result: FinishedRequest): Promise<string | undefined>
  close(): Promise<void>
}

/** One row of a failure table; its title is "{title} is {kind}, as {code}, charged {charged}". */
export type FailureRow<M> = [
  title: string,
  kind: FailureKind,
  code: TaskErrorCode,
  charged: Charged,
  scenario: M,
  /** The allowed HTTP statuses of the failure; undefined means none. */
  statuses: readonly (number | undefined)[],
]

/** The properties of a provider, or of one of its modes. */
export interface Subject<M> {
  /** Opens a provider with the `secrets` at a new upstream. The contract closes both. */
  open(): Promise<{ provider: Provider; upstream: Upstream<M> }>
  /** Every credential that `open` configures: long and unique. */
  secrets: readonly string[]
  /** True if the upstream returns no request id. */
  givesNoRequestId?: true
  /** Every documented or assumed failure of a submit. */
  failures: readonly FailureRow<M>[]
  /** Rate limits, with the requested wait. */
  waits: readonly [form: string, scenario: M, retryAfterMs: number | undefined][]
  /** Scenarios in which a request is executed and its reply lost. */
  cut: readonly M[]
  /** The scenario without a connection. */
  unreached: M
  /** The scenario without a reply. */
  hang: M
  /** The models whose settings are tested; all offered models by default. */
  models?: readonly string[]
  /** Creates a valid input image; any bytes by default. */
  input?: (bytes: Buffer) => ProviderRequestImage
}

/** Opens a provider at a new upstream. Both are closed when the test ends. */
export async function openSubject<U extends { close(): Promise<void> }>(subject: {
  open(): Promise<{ provider: Provider; upstream: U }>
}): Promise<{ provider: Provider; upstream: U }> {
  const { provider, upstream } = await subject.open()
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider: withOfferedModel(provider), upstream }
}

/** The tests request `gpt-image-2`. The name that the provider has for it is sent, or that of its first model. */
function withOfferedModel(provider: Provider): Provider {
  const [first] = provider.offers
  return {
    ...provider,
    submit(request, call) {
      const offer = provider.offers.find(({ model }) => model === request.model) ?? first
      if (!offer) return provider.submit(request, call)
      const { model, upstreamModel } = offer
      return provider.submit({ ...request, model, upstreamModel }, call)
    },
  }
}

/** The failure of a request with default settings in these scenarios. */
export async function failureIn<M>(
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

/** The number of all charges. */
export function countCharges(charges: ReadonlyMap<string, number>): number {
  return [...charges.values()].reduce((sum, times) => sum + times, 0)
}

/** Expects a failure without secrets, also in its cause, and a message without markup. */
export function expectNoSecret(failure: Failure, { secrets }: { secrets: readonly string[] }): void {
  const text = inspect(failure, { depth: 10 })
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  expect(failure.message).not.toMatch(/<\w+>/)
  expect(failure.message.length).toBeLessThan(1000)
}
