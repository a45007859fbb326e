import { describe, expect, it } from 'vitest'
import { DEFAULT_PROJECT } from '../../../src/db/access/projects.ts'
import { storedEvidence } from '../../../src/engine/attempts/outcome.ts'
import { writeReceivedAnswer } from '../../../src/engine/attempts/received-answer.ts'
import { settle } from '../../../src/engine/attempts/settle.ts'
import type { Deps } from '../../../src/engine/deps.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { DATABASES } from '../../support/database.ts'
import { openEngine } from '../../support/engine.ts'
import { hang, status } from '../../support/link-server.ts'
import { done, failure, held, REPORTED, scripted, writeImage } from '../../support/scripted.ts'
import { answerOf, fetching, finalsOf, linking, operator, quick, startLinks, tried } from '../linking.ts'

/** With a back-off of minutes. */
const slowly = (deps: Deps): Deps => ({ ...deps, random: () => 100_000 })

describe.each(DATABASES)('while a result is downloaded, on %s', (database) => {
  it('images that arrived as bytes are stored already', async () => {
    const links = await startLinks()
    const url = links.link([], status(503))
    const provider = scripted(
      async ({ call }) => {
        const images = [
          { url, revisedPrompt: null },
          { file: await writeImage(call), revisedPrompt: null },
        ]
        return { state: 'DONE', images, usage: REPORTED, resolved: {} }
      },
      { results: links.source() },
    )
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create({ n: 2 })
    await fetching(one, id)
    expect(await finalsOf(one, id)).toMatchObject([{ position: 1 }])
    links.recover()
    await one.reached(id, 'SUCCEEDED')
    expect(new Set((await finalsOf(one, id)).map(({ position }) => position))).toEqual(new Set([0, 1]))
    expect((await one.task(id)).warnings).toEqual([])
  })

  it('its task can be canceled, and the image is stored when it arrives', async () => {
    const links = await startLinks()
    const provider = linking(links, [links.link([], status(404))])
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await tried(one, id)
    expect(await one.engine.cancelTask(DEFAULT_PROJECT, id)).toMatchObject({ status: 'CANCELED' })
    expect((await one.events(id)).map(({ body }) => body.type)).toEqual([
      'TASK_QUEUED',
      'ATTEMPT_STARTED',
      'TASK_FINISHED',
    ])
    links.recover()
    await expect.poll(() => one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    expect(await finalsOf(one, id)).toHaveLength(1)
    expect(await one.task(id)).toMatchObject({ status: 'CANCELED' })
  })

  it('a cancel request from before its receipt ends the task after the first failed download', async () => {
    const links = await startLinks()
    const answer = held()
    const provider = scripted((sent) => answer.answer(sent), { results: links.source() })
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(() => provider.sent.length).toBe(1)
    await one.engine.cancelTask(DEFAULT_PROJECT, id)
    answer.release(answerOf([links.link([], status(404))]))
    await one.reached(id, 'CANCELED')
    expect(await one.attempts(id)).toMatchObject([{ state: 'FETCHING', charged: 'YES' }])
  })

  it('a failed check of a worker that lost its lease does not give its addresses up', async () => {
    const links = await startLinks()
    const provider = linking(links, [links.link([], status(404))])
    await using one = await openEngine({ database, providers: [provider], tuning: quick, wrap: slowly })
    const { id } = await one.create()
    await tried(one, id)
    const [attempt] = await one.attempts(id)
    const broken = failure('broken').failure
    await settle(one.deps, attempt!, storedEvidence(attempt!), { state: 'FAILED', failure: broken })
    expect(await one.attempts(id)).toMatchObject([{ state: 'FETCHING', charged: 'YES' }])
    links.recover()
    await one.engine.fetchResult(operator, attempt!.id)
    await one.reached(id, 'SUCCEEDED')
  })

  it('an operator can have it downloaded at once', async () => {
    const links = await startLinks()
    const provider = linking(links, [links.link([], status(404))])
    await using one = await openEngine({ database, providers: [provider], tuning: quick, wrap: slowly })
    const { id } = await one.create()
    await tried(one, id)
    links.recover()
    const [attempt] = await one.attempts(id)
    await one.engine.fetchResult(operator, attempt!.id)
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1 })
  })

  it('its provider gets other requests, also when the download hangs', async () => {
    const links = await startLinks()
    const urls = [links.link([status(404)], hang), links.link()]
    const provider = scripted(async (_, nth) => answerOf([urls[nth - 1]!]), {
      results: links.source(),
      concurrency: 1,
    })
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id: hanging } = await one.create()
    await expect.poll(() => links.gets).toHaveLength(2)
    const { id } = await one.create()
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 1 })
    expect(await one.task(hanging)).toMatchObject({ status: 'RUNNING' })
  })

  it('a retry of the same image may be at a provider, and both charges are recorded', async () => {
    const links = await startLinks()
    const retry = held()
    const provider = scripted((sent, nth) =>
      nth === 1 ? Promise.reject(failure('lost')) : retry.answer(sent),
    )
    const withLinks = { ...provider, results: links.source() }
    await using one = await openEngine({
      database,
      providers: [withLinks],
      tuning: { pollMs: 20, reapMs: 50 },
    })
    const { id } = await one.create({ onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => provider.sent.length).toBe(2)
    const [late] = await one.attempts(id)
    await writeReceivedAnswer(one.deps, {
      attemptId: late!.id,
      images: [{ url: links.link([status(404)]), revisedPrompt: null }],
      usage: REPORTED,
      resolved: {},
      evidence: { wirePhase: 'BODY_DONE', httpStatus: 200, providerRequestId: null },
    })
    await expect.poll(async () => (await one.attempts(id))[0]?.state).toBe('SUCCEEDED')
    retry.resolveWith((sent) => done(sent))
    await expect.poll(async () => (await one.attempts(id))[1]?.state).toBe('SUCCEEDED')
    expect(await one.task(id)).toMatchObject({ status: 'SUCCEEDED', chargesOpen: 2 })
    expect(links.gets).toHaveLength(2)
  })

  it('a result of unknown outcome that arrives late resumes its task', async () => {
    const links = await startLinks()
    const url = links.link([status(404)])
    const provider: Provider = scripted(() => Promise.reject(failure('lost')), {
      results: links.source(),
      find: async () => ({ remoteId: 'remote-1' }),
      check: async () => answerOf([url]),
    })
    const tuning = { pollMs: 20, reapMs: 50 }
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(links.gets).toHaveLength(2)
  })
})
