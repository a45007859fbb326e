import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { UNKNOWN_USAGE } from '../../src/providers/provider.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, failure, held, writeImage, REPORTED, scripted } from '../support/scripted.ts'

describe.each(DATABASES)('a task on %s', (database) => {
  it('stores images, usage, cost, a certain charge and its events in order when it succeeds', async () => {
    const provider = scripted(async (sent) => {
      sent.call.onProgress(0.3)
      await sent.call.onPartial(await writeImage(sent.call), 0)
      sent.call.onProgress(0.2)
      return done(sent, REPORTED)
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ partialImages: 1, n: 2 })
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task).toMatchObject({ progress: 1, chargesOpen: 1, error: null, finishedAt: expect.any(Number) })
    expect(task.startedAt).toBeGreaterThanOrEqual(task.createdAt)

    const [attempt, ...others] = await one.attempts(id)
    expect(others).toEqual([])
    // 10 text tokens at 5 USD and 100 image tokens at 30 USD a million.
    const costMicros = 10 * 5 + 100 * 30
    expect(attempt).toMatchObject({
      state: 'SUCCEEDED',
      charged: 'YES',
      wirePhase: 'BODY_DONE',
      httpStatus: 200,
      providerRequestId: 'req-1',
      usageSource: 'REPORTED',
      inputTextTokens: 10,
      outputImageTokens: 100,
      costMicros,
      priceVersion: 'openai-2026-07-24',
      leaseOwner: null,
      error: null,
    })
    const assets = await listAssets(one.db.read, [id])
    expect(
      assets.map(({ kind, position, width, height, mimeType }) => ({
        kind,
        position,
        width,
        height,
        mimeType,
      })),
    ).toEqual([
      { kind: 'FINAL', position: 0, width: 64, height: 48, mimeType: 'image/png' },
      { kind: 'FINAL', position: 1, width: 64, height: 48, mimeType: 'image/png' },
      { kind: 'PARTIAL', position: 0, width: 64, height: 48, mimeType: 'image/png' },
    ])
    const events = await one.events(id)
    expect(events.map(({ seq, body }) => [seq, body.type])).toEqual([
      [1, 'TASK_QUEUED'],
      [2, 'ATTEMPT_STARTED'],
      [3, 'TASK_PROGRESSED'],
      [4, 'PARTIAL_IMAGE_RECEIVED'],
      [5, 'ATTEMPT_ENDED'],
      [6, 'TASK_FINISHED'],
    ])
    await expect.poll(() => readdir(join(one.place.dataDir, 'assets', 'spool'))).toEqual([])
  })

  it('has an unknown cost, not zero, when no usage is reported', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect((await one.attempts(id))[0]).toMatchObject({
      charged: 'YES',
      usageSource: 'UNKNOWN',
      costMicros: null,
      totalTokens: null,
    })
  })

  const endings = [
    { kind: 'rejected', attempt: 'REJECTED', charged: 'NO', task: 'FAILED', open: 0 },
    { kind: 'refused', attempt: 'REJECTED', charged: 'NO', task: 'FAILED', open: 0 },
    { kind: 'broken', attempt: 'FAILED', charged: 'UNKNOWN', task: 'FAILED', open: 1 },
    { kind: 'lost', attempt: 'UNKNOWN', charged: 'UNKNOWN', task: 'OUTCOME_UNKNOWN', open: 1 },
  ] as const
  it.each(endings)(
    'ends as $task, charged $charged, after a $kind failure at its only provider',
    async (end) => {
      const provider = scripted(() =>
        Promise.reject(failure(end.kind, { providerRequestId: 'req-9', httpStatus: 418 })),
      )
      await using one = await openEngine({ database, providers: [provider] })
      const { id } = await one.create()
      const task = await one.reached(id, end.task)
      expect(task.chargesOpen).toBe(end.open)
      expect(task.error).toMatchObject({
        message: `It was ${end.kind}.`,
        charged: end.charged,
        providerRequestId: 'req-9',
      })
      const attempts = await one.attempts(id)
      expect(attempts).toHaveLength(1)
      expect(attempts[0]).toMatchObject({
        state: end.attempt,
        charged: end.charged,
        httpStatus: 418,
        error: task.error,
      })
      expect(provider.sent).toHaveLength(1)
      const last = end.task === 'FAILED' ? ['ATTEMPT_ENDED', 'TASK_FINISHED'] : ['OUTCOME_BECAME_UNKNOWN']
      expect((await one.events(id)).map(({ body }) => body.type)).toEqual([
        'TASK_QUEUED',
        'ATTEMPT_STARTED',
        ...last,
      ])
    },
  )

  it('goes to the next provider after a refusal of the account, with both attempts recorded', async () => {
    const empty = scripted(() => Promise.reject(failure('refused', { code: 'PROVIDER_REJECTED' })), {
      name: 'empty',
    })
    const rich = scripted((sent) => done(sent), { name: 'rich' })
    await using one = await openEngine({ database, providers: [empty, rich] })
    const { id } = await one.create()
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task).toMatchObject({ chargesOpen: 1, error: null })
    const attempts = await one.attempts(id)
    expect(attempts.map(({ provider, state, charged }) => [provider, state, charged])).toEqual([
      ['empty', 'REJECTED', 'NO'],
      ['rich', 'SUCCEEDED', 'YES'],
    ])
  })

  it('is sent again to an unreachable provider, up to maxAttempts times', async () => {
    const provider = scripted(() => Promise.reject(failure('unreached')))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    const task = await one.reached(id, 'FAILED')
    expect(task).toMatchObject({
      chargesOpen: 0,
      error: { code: 'PROVIDER_UNREACHABLE', retryable: true, charged: 'NO' },
    })
    expect((await one.attempts(id)).map(({ state, charged }) => [state, charged])).toEqual(
      Array.from({ length: 3 }, () => ['NOT_SENT', 'NO']),
    )
    expect(provider.sent).toHaveLength(3)
  })

  it('waits as long as a busy provider requests', async () => {
    const provider = scripted((sent, nth) =>
      nth === 1 ? Promise.reject(failure('busy', { retryAfterMs: 300 })) : done(sent),
    )
    await using one = await openEngine({ database, providers: [provider], tuning: { pollMs: 20 } })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    const [first, second] = await one.attempts(id)
    expect(second!.sentAt! - first!.finishedAt!).toBeGreaterThanOrEqual(290)
  })

  it('fails as possibly charged when the result is not an image, and leaves no file in the spool', async () => {
    const provider = scripted(async ({ call }) => {
      const { writeFile } = await import('node:fs/promises')
      const file = call.newFile()
      await writeFile(file, '<html>Please log in</html>')
      await writeFile(call.newFile(), 'left behind')
      return { state: 'DONE', images: [{ file, revisedPrompt: null }], usage: UNKNOWN_USAGE, resolved: {} }
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    const task = await one.reached(id, 'FAILED')
    expect(task).toMatchObject({ chargesOpen: 1, error: { code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' } })
    await expect.poll(() => readdir(join(one.place.dataDir, 'assets', 'spool'))).toEqual([])
  })

  it('becomes UNKNOWN when an adapter throws an unexpected error after sending', async () => {
    const provider = scripted(() => Promise.reject(new TypeError('a bug')))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    const task = await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(task.error?.message).not.toContain('a bug')
    expect(provider.sent).toHaveLength(1)
  })

  it('is sent within the concurrency limit of its provider', async () => {
    let concurrent = 0
    let maxConcurrent = 0
    const gate = held()
    const provider = scripted(
      async (sent) => {
        maxConcurrent = Math.max(maxConcurrent, ++concurrent)
        const answer = await gate.answer(sent)
        concurrent--
        return answer
      },
      { concurrency: 3 },
    )
    await using one = await openEngine({ database, providers: [provider] })
    const tasks = await Promise.all(Array.from({ length: 10 }, () => one.create()))
    await expect.poll(() => concurrent).toBe(3)
    gate.resolveWith((sent) => done(sent))
    for (const { id } of tasks) await one.reached(id, 'SUCCEEDED')
    expect(maxConcurrent).toBe(3)
    expect(provider.sent).toHaveLength(10)
  })
})

describe.each(DATABASES)('an idempotency key on %s', (database) => {
  it('returns its task even when no provider serves the model any more', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const first = await openEngine({ place, providers: [scripted((sent) => done(sent))] })
    const { id } = await first.create({ idempotencyKey: 'kept' })
    await first.reached(id, 'SUCCEEDED')
    await first.close()
    const without = scripted((sent) => done(sent), { offers: [] })
    await using later = await openEngine({ place, providers: [without] })
    expect((await later.create({ idempotencyKey: 'kept' })).id).toBe(id)
    await expect(later.create({ idempotencyKey: 'new' })).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
  })

  it('returns the same task for the same input, and refuses other input', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const first = await one.create({ idempotencyKey: 'key-1' })
    const again = await one.create({ idempotencyKey: 'key-1' })
    expect(again.id).toBe(first.id)
    await expect(one.create({ idempotencyKey: 'key-1', prompt: 'something else' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      field: 'idempotencyKey',
    })
    await one.reached(first.id, 'SUCCEEDED')
  })

  it('makes one task and one call of 100 concurrent requests', async () => {
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const tasks = await Promise.all(
      Array.from({ length: 100 }, () => one.create({ idempotencyKey: 'key-2' })),
    )
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(1)
    await one.reached(tasks[0]!.id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(1)
  })
})
