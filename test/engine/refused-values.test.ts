// What a provider reports beside its images never costs an image, whatever the database accepts.
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { DATABASES, type Place } from '../support/database.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'
import { runOn } from '../support/postgresql-databases.ts'
import { done, failure, REPORTED, scripted, type Checked } from '../support/scripted.ts'
import type { CallResult } from '../../src/providers/provider.ts'

/** Makes the database refuse a revised prompt, as a column type or a constraint may. */
async function refusePoison({ databaseUrl, dataDir }: Place): Promise<void> {
  if (databaseUrl !== null)
    return runOn(databaseUrl, "alter table assets add constraint poison check (revised_prompt <> 'poison')")
  const file = new BetterSqlite3(join(dataDir, 'darkroom.db'))
  file.exec(
    "create trigger poison before insert on assets when new.revised_prompt = 'poison' begin select raise(abort, 'poison'); end",
  )
  file.close()
}

async function doneWith(
  checked: Checked,
  revisedPrompt: string,
  more: Partial<Extract<CallResult, { state: 'DONE' }>> = {},
): Promise<CallResult> {
  const result = await done(checked, REPORTED)
  if (result.state !== 'DONE') return result
  return { ...result, ...more, images: result.images.map((image) => ({ ...image, revisedPrompt })) }
}

async function revisedPrompts({ db }: TestEngine, id: string): Promise<(string | null)[]> {
  return (await listAssets(db.read, [id])).map(({ revisedPrompt }) => revisedPrompt)
}

describe.each(DATABASES)('on %s, a provider', (database) => {
  it('that reports NUL, half surrogates and impossible counts loses these, and no image', async () => {
    const usage = {
      ...REPORTED,
      inputTokens: 2 ** 31,
      totalTokens: 2 ** 60,
      outputImageTokens: 4_294_967_295,
    }
    const provider = scripted((sent) => {
      sent.call.onWire('HEADERS', { httpStatus: 200, providerRequestId: 'req\0\ud800' })
      return doneWith(sent, 'a \0 fox \ud800', { usage, resolved: { size: '1024\0x1024' } })
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(await revisedPrompts(one, id)).toEqual(['a \uFFFD fox \uFFFD'])
    expect(await one.attempts(id)).toMatchObject([
      {
        state: 'SUCCEEDED',
        resolved: { size: '1024\uFFFDx1024' },
        inputTokens: null,
        totalTokens: null,
        outputImageTokens: null,
        outputTokens: 100,
        costMicros: null,
      },
    ])
    expect(provider.sent).toHaveLength(1)
  })

  it('whose error message has a NUL fails with a readable message', async () => {
    const message = 'The prompt "a\0b \udc00" was refused.'
    const provider = scripted(() =>
      Promise.reject(failure('rejected', { message, providerRequestId: 'req\0' })),
    )
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    expect((await one.reached(id, 'FAILED')).error).toMatchObject({
      message: 'The prompt "a\uFFFDb \uFFFD" was refused.',
      providerRequestId: 'req\uFFFD',
    })
  })

  it('whose remote id cannot be stored leaves an unknown outcome for review, at once', async () => {
    const provider = scripted(async () => ({ state: 'ACCEPTED', remoteId: 'job\0', checkAfterMs: 0 }))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    const { error } = await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(error?.message).toContain('contains NUL')
    expect(provider.sent).toHaveLength(1)
  })

  it('keeps its image when the database refuses a value that came with it', async () => {
    const provider = scripted((sent) => doneWith(sent, 'poison'))
    await using one = await openEngine({ database, providers: [provider] })
    await refusePoison(one.place)
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect(await revisedPrompts(one, id)).toEqual([null])
    expect(await one.attempts(id)).toMatchObject([
      { charged: 'YES', usageSource: 'UNKNOWN', costMicros: null },
    ])
  })
})
