// A model around the pure state machine: one task, workers that die, an upstream that charges and loses responses, and
// people who cancel, retry and read bills. No sequence of steps may violate an invariant.
import type { AttemptState, Charged, LedgerKind, UnknownOutcomePolicy } from '../../src/domain.ts'
import { conclude } from '../../src/engine/attempts/conclude.ts'
import {
  firstLine,
  hasEnded,
  holdsPermit,
  isHeld,
  isLive,
  isUnanswered,
  transition,
  type TransitionInput,
  type Trigger,
} from '../../src/engine/attempts/machine.ts'
import { decideRetry } from '../../src/engine/attempts/retry-policy.ts'
import type { Failure } from '../../src/providers/error.ts'
import { BROKEN, LOST, NOT_CHARGED, REFUSED, UNREACHED } from './model-failures.ts'

/** One step. `which` selects the attempt, modulo their number. */
export interface Step {
  does:
    | 'claim'
    | 'send'
    | 'give up'
    | 'die'
    | 'recover'
    | 'result'
    | 'addresses'
    | 'fetch'
    | 'lose addresses'
    | 'fetch again'
    | 'accept'
    | 'reject'
    | 'break'
    | 'markUnknown'
    | 'unreached'
    | 'restore'
    | 'late result'
    | 'late id'
    | 'resolve'
    | 'cancel'
    | 'retry'
    | 'adjustCost'
    | 'estimate'
    | 'bill'
    | 'waive'
  which: number
  /** Whether the upstream charges for what it did. */
  charges: boolean
}

export interface World {
  parts: number
  maxCharges: number
  policy: UnknownOutcomePolicy
  /** The worst-case cost of an attempt; null when unknown. */
  heldMicros: number | null
}

interface Attempt {
  number: number
  part: number
  n: number
  state: AttemptState
  charged: Charged
  heldMicros: number | null
  costMicros: number | null
  estimatedMicros: number | null
  billedWithoutPermit: boolean
  finishedAt: number | null
  error: null
  hasAddresses: boolean
  /** A live worker holds it. */
  worked: boolean
  /** How often it was sent, and what the upstream charged. */
  submissions: number
  chargedUpstream: number
  lines: { kind: LedgerKind; amountMicros: number | null; isEstimate?: boolean }[]
}

const COST = 40
const MAX_ATTEMPTS = 3
const MAX_CHARGES = 5

/** Runs the steps on a new task. Returns the first violation; `reached` collects the triggers. */
export function violation(
  world: World,
  steps: readonly Step[],
  reached = new Set<string>(),
): string | undefined {
  const attempts: Attempt[] = []
  const task = { open: 0, maxCharges: world.maxCharges, cancelRequested: false, over: false, spent: 0 }
  for (let part = 0; part < world.parts; part++) plan(part)

  for (const [at, step] of steps.entries()) {
    take(step, at + 1)
    const wrong = check()
    if (wrong)
      return `after ${steps
        .slice(0, at + 1)
        .map(({ does, which }) => `${does} ${which}`)
        .join(', ')}: ${wrong}`
  }
  return undefined

  function plan(part: number): void {
    const { heldMicros } = world
    attempts.push({
      number: attempts.length + 1,
      part,
      n: 1,
      state: 'PLANNED',
      charged: 'NO',
      heldMicros,
      costMicros: null,
      estimatedMicros: null,
      billedWithoutPermit: false,
      finishedAt: null,
      error: null,
      hasAddresses: false,
      worked: false,
      submissions: 0,
      chargedUpstream: 0,
      lines: [firstLine({ heldMicros })],
    })
  }

  /** As apply-transition.ts does with rows. */
  function apply(attempt: Attempt, trigger: Trigger, input: TransitionInput): boolean {
    const next = transition(attempt, trigger, input)
    if (!next) return false
    reached.add(trigger)
    Object.assign(attempt, next.set)
    task.open += next.permits
    if (next.reversal) attempt.lines.push({ ...next.reversal, isEstimate: true })
    if (next.line) attempt.lines.push({ ...next.line, isEstimate: trigger === 'estimateCost' })
    if (attempt.state !== 'SENDING' && attempt.state !== 'ACCEPTED') attempt.worked = false
    conclusion()
    return true
  }

  function conclusion(): void {
    if (task.over) return
    const { status } = conclude(attempts, task.cancelRequested)
    task.over = status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELED'
  }

  function take({ does, which, charges }: Step, at: number): void {
    const attempt = attempts[which % attempts.length]!
    const { state, worked } = attempt
    const paid = () => {
      if (charges) attempt.chargedUpstream += COST
    }
    switch (does) {
      case 'claim':
        if (state === 'PLANNED' && !task.over) Object.assign(attempt, { state: 'LEASED', worked: true })
        return
      case 'send':
        return send(attempt, at, paid)
      case 'give up':
        if (worked && state === 'LEASED') apply(attempt, 'giveUp', { at })
        return
      case 'die':
        attempt.worked = false
        return
      case 'recover':
        if (worked) return
        if (state === 'LEASED') apply(attempt, 'release', { at })
        if (state === 'SENDING') settle(attempt, LOST, at)
        return
      case 'result':
        // A result is always charged.
        if (worked && isInProgress(state)) succeed(attempt, at)
        return
      case 'addresses':
        if ((worked && isInProgress(state)) || state === 'UNKNOWN') receive(attempt, at)
        return
      case 'fetch':
        if (state === 'FETCHING') apply(attempt, 'succeed', { at })
        return
      case 'lose addresses':
        if (state === 'FETCHING') apply(attempt, 'fail', { at, charged: 'YES' })
        return
      case 'fetch again':
        // Only an attempt with addresses is fetched.
        if (attempt.hasAddresses) apply(attempt, 'scheduleFetch', { at })
        return
      case 'accept':
        if (worked && state === 'SENDING') apply(attempt, 'accept', { at })
        return
      case 'reject':
        if (worked && isInProgress(state) && attempt.chargedUpstream === 0) settle(attempt, REFUSED, at)
        return
      case 'break':
        if (!worked || !isInProgress(state)) return
        paid()
        settle(attempt, BROKEN, at)
        return
      case 'markUnknown':
        if (!worked || !isInProgress(state)) return
        paid()
        settle(attempt, LOST, at)
        return
      case 'unreached':
        if (worked && state === 'SENDING' && attempt.chargedUpstream === 0) {
          attempt.submissions = 0
          settle(attempt, UNREACHED, at)
        }
        return
      case 'restore':
        if (!worked && mayBeSent(attempt)) apply(attempt, 'restore', { at })
        return
      case 'late result':
        if (state === 'UNKNOWN') succeed(attempt, at)
        return
      case 'late id':
        if (
          state === 'UNKNOWN' &&
          !attempts.some((other) => other.part === attempt.part && isUnanswered(other.state))
        )
          apply(attempt, 'accept', { at })
        return
      case 'resolve':
        if (state === 'UNKNOWN') resolve(attempt, at)
        return
      case 'cancel':
        return cancel(at)
      case 'retry':
        return retry()
      case 'adjustCost':
        if (hasEnded(state)) apply(attempt, 'adjustCost', { at, costMicros: which % 3 === 0 ? 0 : COST })
        return
      case 'estimate':
        if (hasEnded(state)) apply(attempt, 'estimateCost', { at, estimatedMicros: (which % 3) * COST })
        return
      case 'bill':
        return bill(attempt, at, charges)
      case 'waive':
        if (hasEnded(state) && attempt.chargedUpstream === 0) apply(attempt, 'waive', { at })
        return
    }
  }

  function send(attempt: Attempt, at: number, paid: () => void): void {
    if (attempt.state !== 'LEASED' || !attempt.worked || task.cancelRequested) return
    if (!mayBeSent(attempt)) {
      apply(attempt, 'giveUp', { at })
      return
    }
    if (!apply(attempt, 'send', { at })) return
    attempt.submissions++
    paid()
  }

  function mayBeSent(attempt: Attempt): boolean {
    const ofPart = attempts.filter(({ part, charged }) => part === attempt.part && charged !== 'NO')
    return !task.over && task.open < task.maxCharges * world.parts && ofPart.length < task.maxCharges
  }

  function settle(attempt: Attempt, failure: Failure, at: number): void {
    const ofPart = attempts.filter(({ part }) => part === attempt.part)
    const open = ofPart.filter((one) => one === attempt || one.charged !== 'NO').length
    const { state: end, next } = decideRetry({
      failure,
      attempts: ofPart.length,
      maxAttempts: MAX_ATTEMPTS,
      permitsLeft: task.maxCharges - open,
      onUnknownOutcome: world.policy,
      cancelRequested: task.cancelRequested,
      otherProvider: undefined,
      provider: 'here',
      random: 0,
    })
    const isLatestOfPart = isLatest(attempt) && !ofPart.some((one) => one !== attempt && isLive(one.state))
    const trigger = (
      { UNKNOWN: 'markUnknown', REJECTED: 'reject', NOT_SENT: 'markNotSent', FAILED: 'fail' } as const
    )[end]
    const over = task.over
    const moved = transition(attempt, trigger, { at, charged: failure.charged })
    if (!moved) return
    if (next && isLatestOfPart && !over) plan(attempt.part)
    apply(attempt, trigger, { at, charged: failure.charged })
  }

  function succeed(attempt: Attempt, at: number): void {
    attempt.chargedUpstream ||= COST
    cancelOthers(attempt, at)
    apply(attempt, 'succeed', { at, costMicros: attempt.number % 2 === 0 ? null : COST })
  }

  function receive(attempt: Attempt, at: number): void {
    attempt.chargedUpstream ||= COST
    attempt.hasAddresses = true
    cancelOthers(attempt, at)
    apply(attempt, 'receive', { at, costMicros: attempt.number % 2 === 0 ? null : COST })
  }

  function cancelOthers(attempt: Attempt, at: number): void {
    const others = attempts.filter((other) => other.part === attempt.part && other !== attempt)
    for (const other of others) if (transition(other, 'cancel', { at })) apply(other, 'cancel', { at })
  }

  /** The operator has read the bill. */
  function resolve(attempt: Attempt, at: number): void {
    if (attempt.chargedUpstream === 0) settle(attempt, NOT_CHARGED, at)
    else apply(attempt, 'fail', { at, charged: 'YES', costMicros: attempt.heldMicros })
  }

  /** Whatever is on a bill was charged, also what was refused here, free of charge. */
  function bill(attempt: Attempt, at: number, isBilled: boolean): void {
    if (!hasEnded(attempt.state)) return
    if (isBilled) attempt.chargedUpstream ||= COST
    apply(attempt, 'bill', { at, costMicros: attempt.chargedUpstream })
  }

  function cancel(at: number): void {
    if (task.over) return
    task.cancelRequested = true
    for (const attempt of attempts) apply(attempt, 'cancel', { at })
    conclusion()
  }

  /** With permission for a second charge. */
  function retry(): void {
    if (task.over || conclude(attempts, task.cancelRequested).status !== 'OUTCOME_UNKNOWN') return
    const parts = [...Map.groupBy(attempts, ({ part }) => part)].filter(
      ([, ofPart]) => !ofPart.some(({ state }) => state === 'SUCCEEDED'),
    )
    const charges = parts.map(([, ofPart]) => ofPart.filter(({ charged }) => charged !== 'NO').length)
    const needed = Math.max(task.maxCharges, ...charges.map((count) => count + 1))
    if (needed > MAX_CHARGES) return
    task.maxCharges = needed
    task.cancelRequested = false
    for (const [part] of parts) plan(part)
  }

  function isLatest(attempt: Attempt): boolean {
    return attempts.findLast(({ part }) => part === attempt.part) === attempt
  }

  function check(): string | undefined {
    const open = attempts.filter(holdsPermit).length
    if (task.open !== open) return `${task.open} permits are taken, and ${open} attempts may be charged`
    for (const [part, ofPart] of Map.groupBy(attempts, (attempt) => attempt.part)) {
      const unanswered = ofPart.filter(({ state }) => isUnanswered(state)).length
      if (unanswered > 1) return `part ${part} has ${unanswered} attempts queued or at a provider`
      const charged = ofPart.filter(holdsPermit).length
      if (charged > task.maxCharges)
        return `part ${part} has ${charged} possible charges of ${task.maxCharges}`
    }
    return attempts.map(checkOne).find((wrong) => wrong !== undefined)
  }
}

/** One attempt has no unrecorded charge, at most one submission, and a ledger that ends once. */
function checkOne(attempt: Attempt): string | undefined {
  const { number, state, charged, costMicros, heldMicros, lines, finishedAt } = attempt
  const who = `attempt ${number}, ${state},`
  if (attempt.submissions > 1) return `${who} was sent ${attempt.submissions} times`
  if (attempt.chargedUpstream > 0 && charged === 'NO') return `${who} has an unrecorded charge`
  if (!CHARGES[state].includes(charged)) return `${who} says charged ${charged}`
  if ((finishedAt !== null) !== hasEnded(state)) return `${who} has ended at ${finishedAt}`
  const kinds = lines.map(({ kind }) => kind)
  const closes = kinds.filter((kind) => kind === 'POST' || kind === 'VOID')
  if (kinds[0] !== 'HOLD' || kinds.filter((kind) => kind === 'HOLD').length > 1)
    return `${who} holds ${kinds.join()}`
  if (closes.length !== (isHeld(attempt) ? 0 : 1)) return `${who} has ended its ledger ${closes.length} times`
  const sumOf = (estimates: boolean) =>
    lines
      .filter(({ kind, isEstimate = false }) => ['POST', 'ADJUST'].includes(kind) && isEstimate === estimates)
      .reduce((sum, { amountMicros }) => sum + amountMicros!, 0)
  const posted = sumOf(false)
  if (sumOf(true) !== (attempt.estimatedMicros ?? 0))
    return `${who} is estimated at ${attempt.estimatedMicros}, and its lines sum to ${sumOf(true)}`
  if (posted !== (costMicros ?? 0)) return `${who} cost ${costMicros}, and its lines sum to ${posted}`
  const released = lines.find(({ kind }) => kind === 'VOID')
  return released && released.amountMicros !== heldMicros
    ? `${who} released ${released.amountMicros}`
    : undefined
}

function isInProgress(state: AttemptState): boolean {
  return state === 'SENDING' || state === 'ACCEPTED'
}

/** The CHECKs of the attempts table. */
const CHARGES: Record<AttemptState, readonly Charged[]> = {
  PLANNED: ['NO'],
  LEASED: ['NO'],
  SENDING: ['UNKNOWN'],
  ACCEPTED: ['UNKNOWN'],
  FETCHING: ['YES'],
  UNKNOWN: ['UNKNOWN'],
  SUCCEEDED: ['YES'],
  REJECTED: ['NO'],
  NOT_SENT: ['NO'],
  FAILED: ['NO', 'UNKNOWN', 'YES'],
  CANCELED: ['NO'],
}
