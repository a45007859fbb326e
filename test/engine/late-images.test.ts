// Images that arrive beside other news of their attempt: a check that lost its image, a decision made meanwhile, a row that
// is older than the answer, and partial images that are still being recorded.
import { execFile } from 'node:child_process'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { listAbandoned, QUEUE_KEY, updateAttempt } from '../../src/db/attempts/attempts.ts'
import { listAssets } from '../../src/db/tasks/assets.ts'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { commitIntent } from '../../src/engine/attempts/intent.ts'
import { writeReceivedAnswer } from '../../src/engine/attempts/received-answer.ts'
import { settle } from '../../src/engine/attempts/settle.ts'
import { recoverAbandoned } from '../../src/engine/maintenance/recover.ts'
import { claimDue } from '../../src/engine/worker/claim.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { done, failure, held, REPORTED, scripted, writeImage, type Checked } from '../support/scripted.ts'
import type { CallResult, Provider } from '../../src/providers/provider.ts'
import { DownloadError } from '../../src/providers/wire/download.ts'

const EVIDENCE = { wirePhase: 'BODY_DONE' as const, httpStatus: 200, providerRequestId: null }

function accepting(check: (sent: Checked, nth: number) => Promise<CallResult>): Provider {
  let checks = 0
  return scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote', checkAfterMs: 0 }), {
    check: (_remoteId, order, call) => check({ order, call }, ++checks),
  })
}

const ENDED = failure('broken', { charged: 'UNKNOWN', isUnproven: true, message: 'no image' })

async function finalImages({ db }: TestEngine, taskId: string): Promise<string[]> {
  const assets = await listAssets(db.read, [taskId])
  return assets.filter(({ kind }) => kind === 'FINAL').map(({ attemptId }) => attemptId ?? '')
}

/** A reader of the file waits until the test has written to it. */
const makePipe = (path: string) => promisify(execFile)('mkfifo', [path])

const at = (...urls: string[]): CallResult => ({
  state: 'DONE',
  images: urls.map((url) => ({ url, revisedPrompt: null })),
  usage: REPORTED,
  resolved: {},
})

describe.each(DATABASES)('a check on %s that reports an end without an image or a reason', (database) => {
  it('is repeated, and the image of a later one is stored', async () => {
    const provider = accepting((sent, nth) => (nth < 3 ? Promise.reject(ENDED) : done(sent)))
    const tuning = { pollMs: 20, recheckMs: 20 }
    await using one = await openEngine({ database, providers: [provider], tuning })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
  })

  it('is believed after 5 of them, with growing delays', async () => {
    const provider = accepting(() => Promise.reject(ENDED))
    await using one = await openEngine({ database, providers: [provider], tuning: { pollMs: 20 } })
    const { id } = await one.create()
    const delays: number[] = []
    for (let nth = 1; nth <= 4; nth++) {
      await expect.poll(async () => (await one.attempts(id))[0]?.failedChecks).toBe(nth)
      const [attempt] = await one.attempts(id)
      delays.push(Math.round((attempt!.runAfter - Date.now()) / 1000))
      await one.db.tx(async (q) => {
        await updateAttempt(q, attempt!.id, { from: ['ACCEPTED'], to: 'ACCEPTED' }, { dueInMs: 0 })
        q.wakeUp(QUEUE_KEY)
      })
    }
    await one.reached(id, 'FAILED')
    expect(delays).toEqual([5, 10, 20, 40])
    expect(await one.attempts(id)).toMatchObject([{ state: 'FAILED', charged: 'UNKNOWN' }])
  })
})

describe.each(DATABASES)('an image on %s that a worker received', (database) => {
  it.each([
    ['failed', failure('broken', { charged: 'UNKNOWN' }), 'FAILED'],
    ['was rejected', failure('rejected', { charged: 'NO' }), 'REJECTED'],
  ] as const)(
    'is stored although another one decided meanwhile that the attempt %s',
    async (_how, error, state) => {
      const slow = held()
      const provider = accepting((sent) => slow.answer(sent))
      await using one = await openEngine({ database, providers: [provider], tuning: { pollMs: 20 } })
      const { id } = await one.create()
      const read = async () => (await one.attempts(id))[0]!
      await expect
        .poll(async () => (await read()).state === 'ACCEPTED' && (await read()).leaseUntil !== null)
        .toBe(true)
      await settle(one.deps, await read(), EVIDENCE, { state: 'FAILED', failure: error.failure })
      expect((await read()).state).toBe(state)
      await one.reached(id, 'FAILED')
      slow.resolveWith((sent) => done(sent, REPORTED))
      await expect.poll(async () => (await read()).state).toBe('SUCCEEDED')
      expect(await read()).toMatchObject({ charged: 'YES', images: 1 })
      expect(await finalImages(one, id)).toEqual([(await read()).id])
      // A task that has ended keeps its status, as with every late result.
      expect((await one.task(id)).status).toBe('FAILED')
    },
  )

  it('is stored in the pass that finds it, although its row was read before its worker sent it', async () => {
    const providers = [scripted((sent) => done(sent))]
    await using one = await openEngine({ database, providers, start: false })
    for (const prompt of ['a', 'b']) await one.create({ prompt })
    const { deps } = one
    const lease = { owner: deps.workerId, leaseMs: 60_000, dataFolderId: deps.dataFolderId }
    const claimed = await one.db.tx((q) => claimDue(q, { provider: 'scripted', limit: 2, ...lease }))
    expect(claimed).toHaveLength(2)
    const [before, late] = (await listAbandoned(one.db.read, { all: true })) as [AttemptRow, AttemptRow]
    // Reading this record takes until the other attempt was sent and answered.
    const pipe = join(one.store.spool, `${before.id}.receipt.json`)
    await makePipe(pipe)
    const scope = { all: true, isHeld: () => false, reported: new Set<string>() }
    const recovering = recoverAbandoned(deps, scope, new AbortController().signal)
    // Opened once it is being read: the rows have been listed then.
    const record = await open(pipe, 'w')
    expect(await commitIntent(deps, await one.task(late.taskId), late, null)).toBe('COMMITTED')
    const file = await writeImage({ newFile: () => one.store.newFile() })
    const images = [{ file, revisedPrompt: null }]
    await writeReceivedAnswer(deps, {
      attemptId: late.id,
      images,
      usage: REPORTED,
      resolved: {},
      evidence: EVIDENCE,
    })
    await record.writeFile('no record')
    await record.close()
    await recovering
    expect(await one.attempts(late.taskId)).toMatchObject([
      { state: 'SUCCEEDED', totalTokens: REPORTED.totalTokens },
    ])
    expect(await finalImages(one, late.taskId)).toEqual([late.id])
  })

  it('is stored while its partial images are still being recorded', async () => {
    const pipes: string[] = []
    const provider = scripted(async (sent) => {
      for (let index = 0; index < 16; index++) {
        const file = sent.call.newFile()
        if (index === 0) {
          await makePipe(file)
          pipes.push(file)
        } else await writeFile(file, 'x')
        void sent.call.onPartial(file, index)
      }
      return done(sent)
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ partialImages: 3 })
    const startedAt = performance.now()
    try {
      await one.reached(id, 'SUCCEEDED')
    } finally {
      for (const pipe of pipes) await writeFile(pipe, 'x')
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000)
    expect(await finalImages(one, id)).toHaveLength(1)
  })

  it('is stored from the address of a later check, although the first address is forbidden', async () => {
    const tried: string[] = []
    const damaged = `https://${'%'.repeat(9000)}`
    // Of these, only the last one says anything about the first address.
    const replies = [
      async () => at(damaged),
      () => Promise.reject(failure('lost')),
      async (): Promise<CallResult> => ({ state: 'PENDING', progress: null, checkAfterMs: 0 }),
      async () => at(),
      async () => at('https://example.com/image'),
    ]
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'remote', checkAfterMs: 0 }), {
      check: () => replies.shift()!(),
      results: {
        ttlMs: 86_400_000,
        async download(url, file) {
          tried.push(url.slice(0, 40))
          if (url.length > 8192)
            throw new DownloadError('FORBIDDEN', 'must not be longer than 8192 characters')
          await writeImage({ newFile: () => file })
        },
      },
    })
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: { pollMs: 20 },
      wrap: (deps) => ({ ...deps, random: () => -1 }),
    })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(tried).toHaveLength(5)
    expect(await finalImages(one, id)).toHaveLength(1)
  })
})
