import { describe, expect, it, onTestFinished } from 'vitest'
import { listAudit } from '../../../src/db/access/audit.ts'
import { operatorOf } from '../../../src/engine/access/access.ts'
import type { Deps } from '../../../src/engine/deps.ts'
import { DATABASES, type DatabaseKind } from '../../support/database.ts'
import { openEngine } from '../../support/engine.ts'
import { status, type LinkServer } from '../../support/link-server.ts'
import { done, scripted } from '../../support/scripted.ts'
import { addressesOf, finalsOf, linking, operator, quick, startLinks } from '../linking.ts'

const withoutDelay = (deps: Deps): Deps => ({ ...deps, random: () => -1 })

async function openLost(
  kind: DatabaseKind,
  urls: (links: LinkServer) => string[],
  { n = 1, ttlMs = 700 } = {},
) {
  const links = await startLinks()
  const provider = linking(links, urls(links), ttlMs)
  const one = await openEngine({ database: kind, providers: [provider], tuning: quick, wrap: withoutDelay })
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
    // At once, and at the end of that time.
    expect(links.gets.length).toBeGreaterThanOrEqual(2)
  })

  it('is tried three times although the provider keeps it no longer, as after an outage', async () => {
    const failures = [status(503), status(503)]
    const { one, id } = await openLost(database, (all) => [all.link(failures)], { ttlMs: 0 })
    await one.reached(id, 'SUCCEEDED')
    expect(await finalsOf(one, id)).toHaveLength(1)
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
    const { one, id } = await openLost(database, (all) => [all.link([], status(410)), all.link()], { n: 2 })
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task.warnings).toMatchObject([{ code: 'IMAGES_MISSING', field: 'n' }])
    expect(task.warnings[0]?.message).toContain('One image is missing: scripted finished the image')
    expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', images: 1, charged: 'YES' }])
    expect(await finalsOf(one, id)).toMatchObject([{ position: 1 }])
    expect(await addressesOf(one, id)).toMatchObject([{ position: 0 }])
  })

  it('can be fetched by an operator beside images that are stored', async () => {
    const { one, id, links } = await openLost(database, (all) => [all.link([], status(410)), all.link()], {
      n: 2,
    })
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
