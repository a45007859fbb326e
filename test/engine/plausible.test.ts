import { describe, expect, it } from 'vitest'
import type { Usage } from '../../src/domain.ts'
import { plausibleUsage } from '../../src/engine/usage/plausible.ts'
import { UNKNOWN_USAGE } from '../../src/providers/provider.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { plainRequest } from '../support/rows.ts'
import { done, REPORTED, scripted } from '../support/scripted.ts'

const ABSURD = 4_294_967_295

const read = (usage: Usage, resolved = {}) => plausibleUsage(usage, 'gpt-image-2', plainRequest, resolved, 1)

describe('token counts', () => {
  it('are kept as reported if they are plausible, for any quality', () => {
    for (const outputTokens of [1, 196, 7024, 70_000]) {
      const usage = { ...REPORTED, outputTokens }
      expect(read(usage)).toEqual({ usage, implausible: [] })
    }
  })

  it('become unknown, each for itself, over ten times the maximum of the estimate', () => {
    const usage = { ...REPORTED, outputImageTokens: ABSURD, totalTokens: 1e15 }
    expect(read(usage)).toEqual({
      usage: { ...REPORTED, outputImageTokens: null, totalTokens: null },
      implausible: ['totalTokens', 'outputImageTokens'],
    })
  })

  it('are an unknown usage if none remains', () => {
    const usage = { ...UNKNOWN_USAGE, outputTokens: ABSURD, source: 'REPORTED' as const }
    expect(read(usage)).toEqual({ usage: UNKNOWN_USAGE, implausible: ['outputTokens'] })
  })

  it('are compared with the reported size, if that is one', () => {
    for (const size of ['3840x2160', 'auto', 'large'])
      expect(read(REPORTED, { size }).implausible).toEqual([])
  })
})

it.each(DATABASES)(
  'a task with an absurd token count ends, and its cost is unknown, on %s',
  async (database) => {
    const provider = scripted((sent) =>
      done(sent, { ...REPORTED, outputTokens: ABSURD, outputImageTokens: ABSURD }),
    )
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({})
    await one.reached(id, 'SUCCEEDED')
    const [attempt] = await one.attempts(id)
    expect(attempt).toMatchObject({
      outputTokens: null,
      outputImageTokens: null,
      inputTokens: 10,
      costMicros: null,
    })
  },
)
