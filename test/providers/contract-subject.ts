// What a dialect tells the contract about itself, and what every promise needs to be tried.
import { inspect } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import type { Charged, TaskErrorCode } from '../../src/domain.ts'
import type { Failure, FailureKind } from '../../src/providers/error.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { ask, failureOf, openCall, orderOf } from './call.ts'
import type { CannedReply, FakeUpstream, Mood } from './upstreams/fake.ts'

/** The part of a fake that the contract uses; `upstreams/fake.ts` says what each mood does. */
export type Upstream = Omit<FakeUpstream, 'ledger' | 'requests' | 'url' | 'script'> & {
  requests: { path: string; body: Buffer }[]
  script(...moods: Mood[]): void
}

/** One row of a failure table; it reads "{says} is {kind}, as {code}, charged {charged}". */
export type FailureRow = [
  says: string,
  kind: FailureKind,
  code: TaskErrorCode,
  charged: Charged,
  reply: CannedReply,
]

/** One row of a table of statuses: what a check makes of a reply, a state or a kind of failure. */
export type StatusRow = [
  says: string,
  becomes: 'DONE' | 'PENDING' | 'MISSING' | FailureKind,
  reply: CannedReply,
]

/** What is particular about a dialect, or about one mode of it. */
export interface Subject {
  /** A provider with the `secrets` at a fresh upstream. The contract closes both. */
  open(): Promise<{ provider: Provider; upstream: Upstream }>
  /** Every credential that `open` configures: long, and like nothing else. */
  secrets: readonly string[]
  /** What `orderOf()` becomes on the wire: the path with its query, and the parsed JSON body. */
  plain: { path: string; body: unknown }
  /** Only where the upstream gives requests no id of its own. */
  givesNoRequestId?: true
  /** A reply with status 429 or what stands for it there. The contract adds the headers that ask for patience. */
  busy: CannedReply
  /** A reply that rejects the request in these words of the upstream's. */
  rejection(words: string): CannedReply
  /** A reply that has the result, but its `b64_json` is `%%%%`; where the dialect polls, the reply to a check. */
  wrongBase64: CannedReply
  /** Replies to a submit, each documented or assumed failure. */
  failures: readonly FailureRow[]
  /** Only where orders are accepted and asked about later. */
  polling?: {
    /** Every status on file, and one that is on no file. `DONE` rows have an inline picture of any bytes. */
    statuses: readonly StatusRow[]
  }
  /** Only where the upstream calls back: bodies and what they are about. */
  callbacks?: readonly { body: string; remoteId: string | null }[]
}

/** A fresh upstream and a provider at it, closed when the test ends. */
export async function openSubject(subject: Subject): Promise<{ provider: Provider; upstream: Upstream }> {
  const { provider, upstream } = await subject.open()
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

/** How a plain order fails when the upstream is in these moods, and what it would have cost. */
export async function failPlainly(
  subject: Subject,
  ...moods: Mood[]
): Promise<Failure & { charges: number }> {
  const { provider, upstream } = await openSubject(subject)
  upstream.script(...moods)
  const { call } = await openCall()
  const failure = await failureOf(ask(provider, orderOf(), call))
  expectNoSecret(failure, subject)
  return { ...failure, charges: total(upstream.charges) }
}

/** Nothing of a failure, its cause included, shows a secret, and its message shows no markup. */
export function expectNoSecret(failure: Failure, { secrets }: Pick<Subject, 'secrets'>): void {
  const text = inspect(failure, { depth: 10 })
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  expect(failure.message).not.toMatch(/<\w+>/)
  expect(failure.message.length).toBeLessThan(1000)
}

/** How often anything was charged. */
export function total(charges: ReadonlyMap<string, number>): number {
  return [...charges.values()].reduce((sum, times) => sum + times, 0)
}
