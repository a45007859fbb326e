import { Writable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { warnOfStranded } from '../../src/engine/maintenance/recover.ts'
import { createLog } from '../../src/log.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, scripted } from '../support/scripted.ts'

describe.each(DATABASES)('attempts of a provider that is no longer configured, on %s', (database) => {
  it('are logged at the start, and stay queued', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const gone = await openEngine({
      place,
      providers: [scripted((sent) => done(sent), { name: 'gone' })],
      start: false,
    })
    const { id } = await gone.create()
    await gone.close()

    const lines: string[] = []
    const sink = new Writable({ write: (chunk, _, next) => (lines.push(String(chunk)), next()) })
    await using later = await openEngine({ place, providers: [scripted((sent) => done(sent))] })
    await warnOfStranded({ ...later.deps, log: createLog('warn', sink) })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('"provider":"gone"')
    const other = await later.create()
    await later.reached(other.id, 'SUCCEEDED')
    expect(await later.attempts(id)).toMatchObject([{ state: 'PLANNED' }])
  })
})
