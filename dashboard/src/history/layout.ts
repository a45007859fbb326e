// The edit history as a tree: tasks under those whose pictures they edit.
import type { HistoryStep, HistoryTask } from '../api/generated.ts'

export interface HistoryNode {
  task: HistoryTask
  isCurrent: boolean
  /** Its own step was not read: there may be more before or after it. */
  hasMore: boolean
  /** Other tasks whose pictures it edits as well. It is shown under the first one. */
  alsoFrom: readonly HistoryTask[]
  children: readonly HistoryNode[]
}

/** What was read of the history, by the id of the task. */
export type Steps = ReadonlyMap<string, HistoryStep>

/** Roots first, each list oldest first. Ids sort by creation. */
export function layoutHistory(steps: Steps, current: string): readonly HistoryNode[] {
  const tasks = collectTasks(steps)
  const parents = collectParents(steps, tasks)
  const children = new Map<string, string[]>()
  for (const [child, found] of parents) {
    const [first] = found
    if (first !== undefined) children.set(first, [...(children.get(first) ?? []), child])
  }

  function nodesOf(ids: readonly string[]): HistoryNode[] {
    return ids.toSorted().flatMap((id) => {
      const task = tasks.get(id)
      if (!task) return []
      const [, ...others] = parents.get(id) ?? []
      return [
        {
          task,
          isCurrent: id === current,
          hasMore: !steps.has(id),
          alsoFrom: others.flatMap((other) => tasks.get(other) ?? []),
          children: nodesOf(children.get(id) ?? []),
        },
      ]
    })
  }

  return nodesOf([...tasks.keys()].filter((id) => !parents.has(id)))
}

export function countNodes(nodes: readonly HistoryNode[]): number {
  return nodes.reduce((sum, { children }) => sum + 1 + countNodes(children), 0)
}

/** Ids of tasks beside those that were read, for the next step. */
export function unreadOf(steps: Steps): string[] {
  return [...collectTasks(steps).keys()].filter((id) => !steps.has(id))
}

function collectTasks(steps: Steps): Map<string, HistoryTask> {
  const tasks = new Map<string, HistoryTask>()
  for (const step of steps.values()) {
    for (const { task } of step.sources) if (!tasks.has(task.id)) tasks.set(task.id, task)
    for (const { usedBy } of step.results)
      for (const task of usedBy) if (!tasks.has(task.id)) tasks.set(task.id, task)
  }
  for (const step of steps.values()) tasks.set(step.id, step)
  return tasks
}

/** An uploaded picture belongs to the task that it was uploaded for, which made none of it. */
function collectParents(steps: Steps, tasks: ReadonlyMap<string, HistoryTask>): Map<string, string[]> {
  const parents = new Map<string, string[]>()
  const add = (child: string, parent: string) => {
    const known = parents.get(child) ?? []
    if (child !== parent && tasks.has(parent) && !known.includes(parent))
      parents.set(child, [...known, parent])
  }
  for (const { id, inputImages } of tasks.values())
    for (const { kind, task } of inputImages) if (kind === 'FINAL') add(id, task.id)
  for (const step of steps.values())
    for (const { usedBy } of step.results) for (const child of usedBy) add(child.id, step.id)
  return parents
}
