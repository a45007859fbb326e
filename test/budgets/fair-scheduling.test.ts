import { describe, expect, it } from 'vitest'
import { insertProject } from '../../src/db/access/projects.ts'
import { countAhead } from '../../src/db/attempts/counts.ts'
import { shareSlots } from '../../src/engine/worker/claim.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { PLAIN } from '../support/plain-input.ts'
import { done, scripted, type Sent } from '../support/scripted.ts'

const waiting = (projectId: string, due: number, dueSince: number) => ({ projectId, due, dueSince })

describe('slots at a provider', () => {
  it('are shared equally between projects, and the remainder goes to projects with more due attempts', () => {
    const shared = shareSlots(6, [waiting('many', 100, 1), waiting('few', 2, 2)], new Map())
    expect([...shared]).toEqual([
      ['many', 4],
      ['few', 2],
    ])
  })

  it('go first to the project with the fewest running attempts, then to the one that waits longest', () => {
    const running = new Map([
      ['busy', 3],
      ['idle', 0],
    ])
    const projects = [waiting('busy', 9, 1), waiting('younger', 9, 3), waiting('idle', 9, 2)]
    expect([...shareSlots(1, projects, running)]).toEqual([['idle', 1]])
    expect(shareSlots(7, projects, running)).toEqual(
      new Map([
        ['idle', 3],
        ['younger', 3],
        ['busy', 1],
      ]),
    )
  })

  it('stay free when nothing is due', () => {
    expect(shareSlots(4, [], new Map()).size).toBe(0)
    expect([...shareSlots(4, [waiting('one', 1, 1)], new Map())]).toEqual([['one', 1]])
  })
})

async function newProject(one: TestEngine, name: string): Promise<string> {
  const id = `prj_${name.padStart(26, '0')}`
  await one.db.tx((q) => insertProject(q, { id, name, createdAt: 1 }))
  return id
}

async function createTasks(one: TestEngine, projectId: string, count: number): Promise<string[]> {
  const created = await Promise.all(
    Array.from({ length: count }, () => one.engine.createTask({ projectId, apiKeyId: null }, PLAIN)),
  )
  return created.map(({ task }) => task.id)
}

describe.each(DATABASES)('projects at one provider, on %s', (database) => {
  it('share slots: one task of a project does not wait for all tasks of another', async () => {
    const order: Sent[] = []
    const provider = scripted((sent) => {
      order.push(sent)
      return done(sent)
    })
    await using one = await openEngine({ database, providers: [provider], start: false })
    const [many, single] = [await newProject(one, 'A'), await newProject(one, 'B')]
    await createTasks(one, many, 60)
    const [id] = await createTasks(one, single, 1)
    await one.engine.start()
    await one.reached(id!, 'SUCCEEDED')
    const [attempt] = await one.attempts(id!)
    const place = order.findIndex(({ call }) => call.clientRef === attempt!.id)
    // The first four slots are shared by A and B.
    expect(place).toBeLessThan(provider.concurrency)
  })

  it('have a queue position by turns with the tasks of other projects', async () => {
    await using one = await openEngine({
      database,
      providers: [scripted((sent) => done(sent))],
      start: false,
    })
    const [many, few, single] = [
      await newProject(one, 'A'),
      await newProject(one, 'B'),
      await newProject(one, 'C'),
    ]
    const inOrder = async (projectId: string, count: number) => {
      const ids: string[] = []
      for (let i = 0; i < count; i++) {
        ids.push(...(await createTasks(one, projectId, 1)))
        // Tasks of the same millisecond have no order.
        const at = Date.now()
        await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(at)
      }
      return ids
    }
    const ofMany = await inOrder(many, 8)
    const ofFew = await inOrder(few, 3)
    const ofSingle = await inOrder(single, 1)
    const ahead = async (ids: string[]) =>
      Promise.all(ids.map(async (id) => countAhead(one.db.read, (await one.attempts(id))[0]!)))
    // Round-robin: A B C, A B, A B, A A A A A.
    expect(await ahead(ofMany)).toEqual([0, 3, 5, 7, 8, 9, 10, 11])
    expect(await ahead(ofFew)).toEqual([1, 4, 6])
    expect(await ahead(ofSingle)).toEqual([2])
  })

  it('are all served while a model of one project is paused', async () => {
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider], start: false })
    const [paused, served] = [await newProject(one, 'A'), await newProject(one, 'B')]
    await one.engine.pauseProvider({ provider: provider.name, model: 'gpt-image-1' }, 'for a test')
    await Promise.all(
      Array.from({ length: 12 }, () =>
        one.engine.createTask({ projectId: paused, apiKeyId: null }, { ...PLAIN, model: 'gpt-image-1' }),
      ),
    )
    const ids = await createTasks(one, served, 6)
    await one.engine.start()
    for (const id of ids) await one.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(6)
  })
})
