import { countFeeds, type IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'
import type { Queries } from '../../../db/connection/database.ts'
import type { AttemptRow, EventRow, TaskRow } from '../../../db/tables/tables.ts'
import { isFinished, type TaskStatus } from '../../../domain.ts'
import { holdsPermit, isLive, isUnanswered, isUnsent } from '../../attempts/machine.ts'
import { MIN_RETENTION } from '../retention.ts'
import { ensure, type Invariant } from './invariant.ts'

export const TASK_INVARIANTS: readonly Invariant[] = [
  {
    id: 'I2',
    sentence:
      'A task counts every possible charge of its attempts, except those that only a bill revealed after their end',
    checkPage: forEachTask(({ task: { id, chargesOpen }, attempts }) => {
      const open = attempts.filter(holdsPermit).length
      return ensure(chargesOpen === open, `${id} counts ${chargesOpen} open charges; its attempts: ${open}`)
    }),
  },
  {
    id: 'I3',
    sentence: 'No image has more possible charges than permitted',
    checkPage: forEachTask(({ task: { id, maxCharges }, attempts }) => {
      const charged = attempts.filter(holdsPermit)
      return [...Map.groupBy(charged, ({ part }) => part)].flatMap(([part, { length }]) =>
        ensure(length <= maxCharges, `part ${part} of ${id}: ${length} possible charges of ${maxCharges}`),
      )
    }),
  },
  {
    id: 'I4',
    sentence: 'No image has two attempts that are queued or at a provider',
    checkPage: forEachTask(({ task: { id }, attempts }) => {
      const live = attempts.filter(({ state }) => isUnanswered(state))
      return [...Map.groupBy(live, ({ part }) => part)].flatMap(([part, ofPart]) =>
        ensure(ofPart.length <= 1, `part ${part} of ${id} has two such attempts: ${statesOf(ofPart)}`),
      )
    }),
  },
  {
    id: 'I7',
    sentence: 'Events are numbered without a gap, in each task and in each feed',
    checkPage: forEachTask(({ task, events, now }) => {
      const { id, lastSeq } = task
      const progress = events.flatMap(({ body }) => (body.type === 'TASK_PROGRESSED' ? [body.progress] : []))
      const removed = lastSeq - events.length
      const seqs = events.map(({ seq }) => seq)
      const isGapless =
        seqs.every((seq, i) => seq === removed + i + 1) && (removed === 0 || mayBeRemoved(task, now))
      const isMonotonic = progress.every((value, i) => value >= (progress[i - 1] ?? 0))
      return [
        ...ensure(isGapless, `the events of ${id} are not 1..${lastSeq}: ${seqs.join(', ')}`),
        ...ensure(isMonotonic, `the progress of ${id} decreases: ${progress.join(', ')}`),
      ]
    }),
    checkAll: checkFeeds,
  },
  {
    id: 'I8',
    sentence: 'A finished task has one terminal event, which is its last',
    checkPage: forEachTask(({ task, events, now }) => {
      const { id, status } = task
      // The last event is the last to be removed.
      if (events.length === 0 && mayBeRemoved(task, now)) return []
      const count = events.filter(({ body }) => body.type === 'TASK_FINISHED').length
      if (count !== Number(isFinished(status))) return [`${id} is ${status} with ${count} terminal events`]
      const isLast = events.at(-1)?.body.type === 'TASK_FINISHED'
      return ensure(count === 0 || isLast, `the terminal event of ${id} is not its last`)
    }),
  },
  {
    id: 'I9',
    sentence: 'A task that succeeded has its images',
    checkPage(page) {
      const deletedTasks = new Set(page.tasks.flatMap(({ id, deletedAt }) => (deletedAt === null ? [] : id)))
      const existing = page.attempts.filter(({ taskId }) => !deletedTasks.has(taskId))
      const finals = [...page.assets, ...page.deletedImages].filter(({ kind }) => kind === 'FINAL')
      const tasks = new Set(finals.map(({ taskId }) => taskId))
      const attempts = new Set(finals.map(({ attemptId }) => attemptId))
      return [
        ...page.tasks.filter(
          ({ id, status }) => status === 'SUCCEEDED' && !tasks.has(id) && !deletedTasks.has(id),
        ),
        ...existing.filter(({ id, state }) => state === 'SUCCEEDED' && !attempts.has(id)),
      ].map(({ id }) => `${id} has SUCCEEDED without an image`)
    },
  },
  {
    id: 'I19',
    sentence: 'The status of a task follows from its attempts',
    checkPage: forEachTask(({ task: { id, status }, attempts }) => {
      const isWaiting = attempts.some(({ state }) => isUnsent(state))
      const isPossible: Record<TaskStatus, boolean> = {
        QUEUED: isWaiting,
        RUNNING: attempts.some(({ state }) => isLive(state)),
        OUTCOME_UNKNOWN: attempts.some(({ state }) => state === 'UNKNOWN'),
        SUCCEEDED: !isWaiting,
        FAILED: !isWaiting,
        CANCELED: !isWaiting,
      }
      return ensure(isPossible[status], `${id} is ${status}, but its attempts are ${statesOf(attempts)}`)
    }),
  },
]

interface TaskRecords {
  task: TaskRow
  attempts: AttemptRow[]
  /** In order. */
  events: EventRow[]
  now: number
}

function forEachTask(check: (records: TaskRecords) => string[]): (page: IntegrityPage) => string[] {
  return ({ tasks, attempts, events, now }) => {
    const attemptsOf = Map.groupBy(attempts, ({ taskId }) => taskId)
    const eventsOf = Map.groupBy(events, ({ taskId }) => taskId)
    return tasks.flatMap((task) => {
      const of = { attempts: attemptsOf.get(task.id) ?? [], events: eventsOf.get(task.id) ?? [] }
      return check({ task, ...of, now })
    })
  }
}

/** Retention removes events from the first on. */
function mayBeRemoved({ status, finishedAt }: TaskRow, now: number): boolean {
  return isFinished(status) && finishedAt !== null && finishedAt < now - MIN_RETENTION.eventsMs
}

function statesOf(attempts: AttemptRow[]): string {
  return attempts.map(({ state }) => state).join(', ') || 'none'
}

/** Numbers are unique in a project: with each task's check, a count reveals a missing one. */
async function checkFeeds(q: Queries): Promise<string[]> {
  return (await countFeeds(q)).flatMap(({ projectId, feedSeq, counted, events, first, last }) =>
    ensure(
      counted === feedSeq && (first ?? 1) >= 1 && (last ?? 0) <= feedSeq,
      `the feed of ${projectId} is not 1..${feedSeq}: its tasks count ${counted}, and it holds ${events}, from ${first} to ${last}`,
    ),
  )
}
