import { describe, expect, it, onTestFinished } from 'vitest'
import { writeReceivedAnswer } from '../../../src/engine/attempts/received-answer.ts'
import { listLines } from '../../../src/db/money/ledger.ts'
import { DATABASES, newPlace } from '../../support/database.ts'
import { openEngine } from '../../support/engine.ts'
import { hang, page, reset, status } from '../../support/link-server.ts'
import { done, failure, held, REPORTED, scripted } from '../../support/scripted.ts'
import { addressesOf, answerOf, finalsOf, linking, quick, startLinks, tried } from '../linking.ts'

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
    const lines = await listLines(one.db.read, [attempt!.id])
    expect(lines.map(({ kind, source }) => [kind, source])).toEqual([
      ['HOLD', null],
      ['POST', 'PRICE'],
    ])
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
