import { describe, expect, it, onTestFinished } from 'vitest'
import { listAddresses } from '../../src/db/attempts/addresses.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { listAudit } from '../../src/db/access/audit.ts'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import type { Deps } from '../../src/engine/deps.ts'
import { writeReceivedAnswer } from '../../src/engine/attempts/received-answer.ts'
import type { CallResult, Provider } from '../../src/providers/provider.ts'
import { DATABASES, newPlace, type DatabaseKind } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { hang, page, reset, startLinkServer, status, type LinkServer } from '../support/link-server.ts'
import { done, failure, held, REPORTED, scripted, writeImage } from '../support/scripted.ts'

const operator = operatorOf(DEFAULT_PROJECT)
const quick = { pollMs: 20 }
/** With a back-off of minutes. */
const slowly = (deps: Deps): Deps => ({ ...deps, random: () => 100_000 })

async function startLinks(): Promise<LinkServer> {
  const links = await startLinkServer()
  onTestFinished(() => links[Symbol.asyncDispose]())
  return links
}

function answerOf(urls: readonly string[]): CallResult {
  const images = urls.map((url) => ({ url, revisedPrompt: 'a fox, revised' }))
  return { state: 'DONE', images, usage: REPORTED, resolved: { size: '16x16' } }
}

/** A provider whose results are at these addresses. */
function linking(links: LinkServer, urls: readonly string[], ttlMs?: number) {
  return scripted(
    async ({ call }) => {
      call.onWire('BODY_DONE', { httpStatus: 200, providerRequestId: 'req-1' })
      return answerOf(urls)
    },
    { results: links.source(ttlMs) },
  )
}

const addressesOf = async (one: TestEngine, taskId: string) => {
  const attempts = await one.attempts(taskId)
  return listAddresses(
    one.db.read,
    attempts.map(({ id }) => id),
  )
}
const finalsOf = async (one: TestEngine, taskId: string) =>
  (await listAssets(one.db.read, [taskId])).filter(({ kind }) => kind === 'FINAL')
async function fetching(one: TestEngine, taskId: string): Promise<void> {
  await expect.poll(async () => (await one.attempts(taskId)).map(({ state }) => state)).toContain('FETCHING')
}
async function tried(one: TestEngine, taskId: string): Promise<void> {
  await expect.poll(async () => (await addressesOf(one, taskId))[0]?.tries).toBeGreaterThan(0)
}

describe.each(DATABASES)('a result at an address, on %s', (database) => {
  it('has its address, usage and cost stored before the first download', async () => {
    const links = await startLinks()
    const provider = linking(links, [links.link([hang])])
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await expect.poll(() => links.gets).toHaveLength(1)
    expect(await addressesOf(one, id)).toMatchObject([
      { position: 0, revisedPrompt: 'a fox, revised', tries: 0, url: expect.stringContaining('signature') },
    ])
    const [attempt] = await one.attempts(id)
    expect(attempt).toMatchObject({
      state: 'FETCHING',
      charged: 'YES',
      outputTokens: REPORTED.outputTokens,
      costMicros: expect.any(Number),
      resolved: { size: '16x16' },
      providerRequestId: 'req-1',
    })
    expect(await one.task(id)).toMatchObject({ status: 'RUNNING', error: null })
  })

  it.each([
    ['status 404', status(404)],
    ['status 503', status(503)],
    ['status 403', status(403)],
    ['a reset', reset],
    ['a page', page],
  ])('is downloaded again after %s, paid once', async (_, answer) => {
    const links = await startLinks()
    const provider = linking(links, [links.link([answer, answer])])
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(links.gets).toHaveLength(3)
    expect(provider.sent).toHaveLength(1)
    expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', images: 1, error: null }])
    expect(await finalsOf(one, id)).toMatchObject([{ position: 0, revisedPrompt: 'a fox, revised' }])
    expect(await addressesOf(one, id)).toEqual([])
  })

  it('is downloaded after a restart', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const links = await startLinks()
    const provider = linking(links, [links.link([], status(503))])
    const first = await openEngine({ place, providers: [provider], tuning: quick })
    const { id } = await first.create()
    await tried(first, id)
    await first.close()
    links.recover()
    await using second = await openEngine({ place, providers: [provider], tuning: quick })
    await second.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('is returned to the queue by a shutdown during its download', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const links = await startLinks()
    const provider = linking(links, [links.link([hang])])
    const first = await openEngine({ place, providers: [provider], tuning: quick })
    const { id } = await first.create()
    await expect.poll(() => links.gets).toHaveLength(1)
    await first.close()
    await using second = await openEngine({ place, providers: [provider], tuning: quick })
    await second.reached(id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })

  it('is downloaded by the next start after a crash that followed its receipt', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const links = await startLinks()
    const never = held()
    const sent = scripted((one) => never.answer(one), { results: links.source() })
    const dying = await openEngine({
      place,
      providers: [sent],
      tuning: { leaseMs: 300, heartbeatMs: 60_000 },
    })
    const { id } = await dying.create()
    await expect.poll(() => sent.sent.length).toBe(1)
    const [attempt] = await dying.attempts(id)
    await dying.close()
    // Closing removes the record of a call; a kill leaves it.
    await writeReceivedAnswer(dying.deps, {
      attemptId: attempt!.id,
      images: [{ url: links.link([status(404)]), revisedPrompt: null }],
      usage: REPORTED,
      resolved: {},
      evidence: { wirePhase: 'BODY_DONE', httpStatus: 200, providerRequestId: 'req-9' },
    })
    await using next = await openEngine({ place, providers: [sent], tuning: { reapMs: 50, pollMs: 20 } })
    await next.reached(id, 'SUCCEEDED')
    expect(sent.sent).toHaveLength(1)
    expect(await next.attempts(id)).toMatchObject([{ outputTokens: REPORTED.outputTokens, images: 1 }])
  })

  it.each<[what: string, checks: (urls: string[], nth: number) => string[]]>([
    ['at its address again', ([first]) => [first!]],
    ['at the newer address of another check', ([first, second], nth) => [nth === 1 ? first! : second!]],
    [
      'at its address while checks fail',
      ([first], nth) => {
        if (nth === 1) return [first!]
        throw failure('busy')
      },
    ],
  ])('of an accepted request is downloaded %s', async (_, addresses) => {
    const links = await startLinks()
    const urls = [links.link([status(403), status(403)]), links.link()]
    let checks = 0
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: 0 }), {
      results: links.source(),
      check: async () => answerOf(addresses(urls, ++checks)),
    })
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(checks).toBeGreaterThan(1)
    expect(provider.sent).toHaveLength(1)
    expect(await one.attempts(id)).toMatchObject([{ images: 1, outputTokens: REPORTED.outputTokens }])
  })

  it('of an accepted request is stored when another check returns its bytes', async () => {
    const links = await startLinks()
    const url = links.link([], status(404))
    let checks = 0
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: 0 }), {
      results: links.source(),
      check: (_, order, call) => (++checks === 1 ? Promise.resolve(answerOf([url])) : done({ call, order })),
    })
    await using one = await openEngine({ database, providers: [provider], tuning: quick })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect([links.gets.length, checks]).toEqual([1, 2])
    expect(await addressesOf(one, id)).toEqual([])
  })
})

async function openLost(kind: DatabaseKind, urls: (links: LinkServer) => string[], n = 1) {
  const links = await startLinks()
  const provider = linking(links, urls(links), 700)
  const one = await openEngine({ database: kind, providers: [provider], tuning: quick })
  onTestFinished(() => one[Symbol.asyncDispose]())
  const { id } = await one.create({ n })
  return { links, one, id }
}

describe.each(DATABASES)('a result that cannot be downloaded, on %s', (database) => {
  it('fails as charged when the provider keeps it no longer, with its usage, cost and address', async () => {
    const { one, id, links } = await openLost(database, (all) => [all.link([], status(404))])
    const task = await one.reached(id, 'FAILED')
    expect(task.error).toMatchObject({ code: 'RESULT_UNREACHABLE', charged: 'YES', retryable: false })
    expect(task.error?.message).toContain('answered with status 404')
    expect(JSON.stringify(task)).not.toContain('s3cret')
    expect(await one.attempts(id)).toMatchObject([
      { state: 'FAILED', charged: 'YES', outputTokens: 100, costMicros: expect.any(Number), images: 0 },
    ])
    expect(await addressesOf(one, id)).toMatchObject([{ problem: 'answered with status 404' }])
    // At once, after 500 ms, and at the end.
    expect(links.gets.length).toBeGreaterThanOrEqual(3)
  })

  it('fails at once at an address that is forbidden', async () => {
    const { one, id } = await openLost(database, () => ['http://169.254.169.254/latest?token=s3cret'])
    const { error } = await one.reached(id, 'FAILED')
    expect(error).toMatchObject({ code: 'RESULT_UNREACHABLE', charged: 'YES' })
    expect(await addressesOf(one, id)).toMatchObject([{ tries: 1, problem: 'must be on a public host' }])
  })

  it('is stored when an operator has it fetched later', async () => {
    const { one, id, links } = await openLost(database, (all) => [all.link([], status(404))])
    await one.reached(id, 'FAILED')
    const [attempt] = await one.attempts(id)
    // Once more without success.
    expect(await one.engine.fetchResult(operator, attempt!.id)).toMatchObject({ state: 'FETCHING' })
    await expect.poll(async () => (await one.attempts(id))[0]?.state).toBe('FAILED')
    links.recover()
    await one.engine.fetchResult(operator, attempt!.id)
    await expect.poll(async () => (await one.attempts(id))[0]?.state).toBe('SUCCEEDED')
    expect(await one.task(id)).toMatchObject({ status: 'FAILED', chargesOpen: 1 })
    expect(await finalsOf(one, id)).toHaveLength(1)
    const decisions = await listAudit(one.db.read, attempt!.id)
    expect(decisions.map(({ action }) => action)).toEqual(['fetchResult', 'fetchResult'])
    await expect(one.engine.fetchResult(operator, attempt!.id)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('leaves the other images of its task stored, with a warning', async () => {
    const { one, id } = await openLost(database, (all) => [all.link([], status(410)), all.link()], 2)
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task.warnings).toMatchObject([{ code: 'IMAGES_MISSING', field: 'n' }])
    expect(task.warnings[0]?.message).toContain('One image is missing: scripted finished the image')
    expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', images: 1, charged: 'YES' }])
    expect(await finalsOf(one, id)).toMatchObject([{ position: 1 }])
    expect(await addressesOf(one, id)).toMatchObject([{ position: 0 }])
  })

  it('can be fetched by an operator beside images that are stored', async () => {
    const { one, id, links } = await openLost(database, (all) => [all.link([], status(410)), all.link()], 2)
    await one.reached(id, 'SUCCEEDED')
    links.recover()
    const [attempt] = await one.attempts(id)
    await one.engine.fetchResult(operator, attempt!.id)
    await expect.poll(() => finalsOf(one, id)).toHaveLength(2)
    await expect.poll(() => one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', images: 2 }])
  })

  it('is not found for another project, and conflicts without an address', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    const [attempt] = await one.attempts(id)
    await expect(one.engine.fetchResult(operator, attempt!.id)).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(one.engine.fetchResult(operatorOf('prj_other'), attempt!.id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

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
