import { describe, expect, it } from 'vitest'
import type { HistoryStep, HistoryTask, Picture } from '../../dashboard/src/api/generated.ts'
import { countNodes, layoutHistory, unreadOf, type HistoryNode } from '../../dashboard/src/history/layout.ts'

const picture = (id: string): Picture => ({
  id,
  width: 1,
  height: 1,
  thumbhash: null,
  url: '',
  small: '',
  medium: '',
  large: '',
})

/** `from`: tasks whose result it edits; `uploads`: ids of uploaded images. */
function task(id: string, from: string[] = [], uploads: string[] = []): HistoryTask {
  return {
    id,
    status: 'SUCCEEDED',
    prompt: id,
    model: 'm',
    createdAt: '',
    charged: 'YES',
    costMicros: 1,
    images: [picture(`img_${id}`)],
    inputImages: [
      ...from.map((maker) => ({ ...picture(`img_${maker}`), kind: 'FINAL' as const, task: { id: maker } })),
      ...uploads.map((upload) => ({ ...picture(upload), kind: 'INPUT' as const, task: { id } })),
    ],
  }
}

const ALL = {
  a: task('a', [], ['upload']),
  b: task('b', ['a']),
  c: task('c', ['b']),
  d: task('d', ['a']),
  e: task('e', ['c', 'd']),
}
type Id = keyof typeof ALL

/** As read from a server that has all of them. */
function step(id: Id): HistoryStep {
  const own = ALL[id]
  const children = Object.values(ALL).filter((one) => one.inputImages.some((image) => image.task.id === id))
  return {
    ...own,
    results: own.images.map((image) => ({ id: image.id, usedBy: children.filter((one) => one.id !== id) })),
    sources: own.inputImages.map(({ id: image, task: maker }) => ({ id: image, task: ALL[maker.id as Id] })),
  }
}

const stepsOf = (...ids: Id[]) => new Map(ids.map((id) => [id, step(id)]))
const shapeOf = (nodes: readonly HistoryNode[]): unknown[] =>
  nodes.map(({ task: { id }, children }) => (children.length > 0 ? [id, ...shapeOf(children)] : id))

describe('the edit history', () => {
  it('has parents by input images and children by use, from any task of it', () => {
    for (const id of Object.keys(ALL) as Id[])
      expect(shapeOf(layoutHistory(stepsOf('a', 'b', 'c', 'd', 'e'), id))).toEqual([
        ['a', ['b', ['c', 'e']], 'd'],
      ])
  })

  it('shows a task with several sources once, and names the others', () => {
    const [root] = layoutHistory(stepsOf('a', 'b', 'c', 'd', 'e'), 'e')
    const node = root?.children[0]?.children[0]?.children[0]
    expect([node?.task.id, node?.isCurrent, node?.alsoFrom.map(({ id }) => id)]).toEqual(['e', true, ['d']])
  })

  it('grows by one step, and says where there may be more', () => {
    const one = stepsOf('b')
    expect(shapeOf(layoutHistory(one, 'b'))).toEqual([['a', ['b', 'c']]])
    expect(unreadOf(one).toSorted()).toEqual(['a', 'c'])
    const [root] = layoutHistory(one, 'b')
    expect([root?.hasMore, root?.children[0]?.hasMore]).toEqual([true, false])
    expect(countNodes(layoutHistory(stepsOf('b', 'a'), 'b'))).toBe(4)
  })

  it('of a task with an uploaded picture begins with the task', () => {
    const alone = { ...step('a'), results: [] }
    expect(shapeOf(layoutHistory(new Map([['a', alone]]), 'a'))).toEqual(['a'])
  })
})
