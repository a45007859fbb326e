// What must hold of a task and its attempts and events. Each answers the violations among the tasks of a page.
import type { IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'
import type { AttemptRow, EventRow, TaskRow } from '../../../db/tables/tables.ts'
import { isFinished, type AttemptState, type TaskStatus } from '../../../domain.ts'
import { isUnsent } from '../../attempts/machine.ts'
import { MIN_RETENTION } from '../retention.ts'

const LIVE: ReadonlySet<AttemptState> = new Set(['PLANNED', 'LEASED', 'SENDING', 'ACCEPTED'])

/** I2. */
export function countsItsCharges(page: IntegrityPage): string[] {
  return ofEach(page, ({ id, chargesOpen }, { attempts }) => {
    const open = attempts.filter(({ charged }) => charged !== 'NO').length
    return chargesOpen === open ? [] : [`${id} counts ${chargesOpen} open charges, and its attempts ${open}`]
  })
}

/** I3. */
export function keepsToItsPermits(page: IntegrityPage): string[] {
  return ofEach(page, ({ id, maxCharges }, { attempts }) => {
    const charged = attempts.filter((attempt) => attempt.charged !== 'NO')
    return [...Map.groupBy(charged, ({ part }) => part)]
      .filter(([, ofPart]) => ofPart.length > maxCharges)
      .map(
        ([part, { length }]) =>
          `part ${part} of ${id} has ${length} possible charges of ${maxCharges} permitted`,
      )
  })
}

/** I4. */
export function sendsOneAtATime(page: IntegrityPage): string[] {
  return ofEach(page, ({ id }, { attempts }) => {
    const live = attempts.filter(({ state }) => LIVE.has(state))
    return [...Map.groupBy(live, ({ part }) => part)]
      .filter(([, ofPart]) => ofPart.length > 1)
      .map(([part, ofPart]) => `${id} has two live attempts of part ${part}: ${statesOf(ofPart)}`)
  })
}

/** I7, of tasks: and progress, which the same events tell, never goes back. */
export function numbersItsEvents(page: IntegrityPage): string[] {
  return ofEach(page, (task, { events }) => {
    const { id, lastSeq } = task
    const progress = events.flatMap(({ body }) => (body.type === 'TASK_PROGRESSED' ? [body.progress] : []))
    const removed = lastSeq - events.length
    const gapless =
      events.every(({ seq }, i) => seq === removed + i + 1) && (removed === 0 || mayBeRemoved(task, page.now))
    return [
      ...(gapless
        ? []
        : [`the events of ${id} are not 1..${lastSeq}: ${events.map(({ seq }) => seq).join(', ')}`]),
      ...(progress.some((value, i) => value < (progress[i - 1] ?? 0))
        ? [`the progress of ${id} goes back: ${progress.join(', ')}`]
        : []),
    ]
  })
}

/** I8. */
export function endsOnce(page: IntegrityPage): string[] {
  return ofEach(page, (task, { events }) => {
    const { id, status } = task
    // The last event is the last to be removed.
    if (events.length === 0 && mayBeRemoved(task, page.now)) return []
    const ends = events.filter(({ body }) => body.type === 'TASK_FINISHED').length
    if (ends !== Number(isFinished(status))) return [`${id} is ${status} and has ${ends} terminal events`]
    return ends === 1 && events.at(-1)?.body.type !== 'TASK_FINISHED'
      ? [`the terminal event of ${id} is not its last`]
      : []
  })
}

/** I9. */
export function hasItsImages(page: IntegrityPage): string[] {
  const finals = page.assets.filter(({ kind }) => kind === 'FINAL')
  return ofEach(page, ({ id, status }, { attempts }) => [
    ...(status === 'SUCCEEDED' && !finals.some(({ taskId }) => taskId === id)
      ? [`${id} has SUCCEEDED without an image`]
      : []),
    ...attempts
      .filter(({ state }) => state === 'SUCCEEDED')
      .filter((attempt) => !finals.some(({ attemptId }) => attemptId === attempt.id))
      .map((attempt) => `${attempt.id} has SUCCEEDED without an image`),
  ])
}

/** I19. */
export function standsWithItsAttempts(page: IntegrityPage): string[] {
  return ofEach(page, ({ id, status }, { attempts }) => {
    const waits = attempts.some(({ state }) => isUnsent(state))
    const stands: Record<TaskStatus, boolean> = {
      QUEUED: waits,
      RUNNING: attempts.some(({ state }) => LIVE.has(state)),
      OUTCOME_UNKNOWN: attempts.some(({ state }) => state === 'UNKNOWN'),
      SUCCEEDED: !waits,
      FAILED: !waits,
      CANCELED: !waits,
    }
    return stands[status] ? [] : [`${id} is ${status}, and its attempts are ${statesOf(attempts)}`]
  })
}

/** Whether the first events of a task, or all of them, may be gone because their time was over. */
function mayBeRemoved({ status, finishedAt }: TaskRow, now: number): boolean {
  return isFinished(status) && finishedAt !== null && finishedAt < now - MIN_RETENTION.eventsMs
}

interface Own {
  attempts: AttemptRow[]
  /** In order. */
  events: EventRow[]
}

function ofEach(
  { tasks, attempts, events }: IntegrityPage,
  check: (task: TaskRow, own: Own) => string[],
): string[] {
  const attemptsOf = Map.groupBy(attempts, ({ taskId }) => taskId)
  const eventsOf = Map.groupBy(events, ({ taskId }) => taskId)
  return tasks.flatMap((task) =>
    check(task, { attempts: attemptsOf.get(task.id) ?? [], events: eventsOf.get(task.id) ?? [] }),
  )
}

function statesOf(attempts: AttemptRow[]): string {
  return attempts.map(({ state }) => state).join(', ') || 'none'
}
