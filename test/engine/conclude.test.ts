import { describe, expect, it } from 'vitest'
import { parseSize, type AttemptState, type TaskError, type TaskStatus } from '../../src/domain.ts'
import { conclude, sizeWarnings, type AttemptSummary } from '../../src/engine/attempts/conclusion.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, scripted } from '../support/scripted.ts'

const ERROR: TaskError = {
  code: 'PROVIDER_BROKEN',
  message: 'It broke.',
  retryable: false,
  charged: 'NO',
  providerRequestId: null,
}

/** A part for each list, its attempts in order. */
function attempts(parts: readonly (readonly AttemptState[])[]): AttemptSummary[] {
  return parts.flatMap((states, part) =>
    states.map((state, i) => ({
      part,
      number: i + 1,
      state,
      n: 2,
      error: state === 'FAILED' || state === 'REJECTED' ? ERROR : null,
    })),
  )
}

describe('a task stands', () => {
  it.each<[status: TaskStatus, parts: AttemptState[][]]>([
    ['QUEUED', [['PLANNED']]],
    ['QUEUED', [['LEASED']]],
    ['QUEUED', [['REJECTED', 'PLANNED']]],
    ['QUEUED', [['SUCCEEDED'], ['PLANNED']]],
    ['RUNNING', [['SENDING']]],
    ['RUNNING', [['ACCEPTED'], ['PLANNED']]],
    ['RUNNING', [['UNKNOWN', 'SENDING']]],
    ['RUNNING', [['UNKNOWN'], ['SENDING']]],
    ['OUTCOME_UNKNOWN', [['UNKNOWN']]],
    ['OUTCOME_UNKNOWN', [['UNKNOWN', 'FAILED']]],
    ['OUTCOME_UNKNOWN', [['SUCCEEDED'], ['UNKNOWN']]],
    ['SUCCEEDED', [['SUCCEEDED']]],
    ['SUCCEEDED', [['REJECTED', 'SUCCEEDED']]],
    ['SUCCEEDED', [['SUCCEEDED', 'UNKNOWN']]],
    ['SUCCEEDED', [['SUCCEEDED'], ['FAILED']]],
    ['FAILED', [['FAILED']]],
    ['FAILED', [['REJECTED'], ['NOT_SENT']]],
  ])('%s with %j', (status, parts) => {
    expect(conclude(attempts(parts), false).status).toBe(status)
  })

  it.each<[status: TaskStatus, parts: AttemptState[][]]>([
    ['CANCELED', [['CANCELED']]],
    ['CANCELED', [['SUCCEEDED']]],
    ['CANCELED', [['UNKNOWN']]],
    ['CANCELED', [['REJECTED'], ['CANCELED']]],
    ['RUNNING', [['SENDING'], ['CANCELED']]],
  ])('%s with %j once its owner wants it stopped', (status, parts) => {
    expect(conclude(attempts(parts), true).status).toBe(status)
  })
})

describe('the size of what came', () => {
  it.each<[asked: string, came: string[], message: string | undefined]>([
    ['1024x1024', ['1024x1024', '1024x1024'], undefined],
    ['auto', ['7x9'], undefined],
    ['1024x1024', ['1024x1536'], '1024x1024 was asked for, and 1024x1536 came.'],
    ['64x48', ['64x48', '48x64', '64x64', '64x64'], '64x48 was asked for, and 48x64, 64x64 came.'],
  ])('asked for as %s and being %j', (asked, came, message) => {
    const images = came.map((size) => parseSize(size)!)
    expect(sizeWarnings(asked, images)).toEqual(
      message ? [{ code: 'SIZE_DIFFERS', field: 'size', message }] : [],
    )
  })
})

it.each(DATABASES)(
  'an image of another size than was asked for is kept, and named, on %s',
  async (database) => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const { id } = await one.create({ size: '1024x1024' })
    const { warnings } = await one.reached(id, 'SUCCEEDED')
    expect(warnings).toEqual([
      { code: 'SIZE_DIFFERS', field: 'size', message: '1024x1024 was asked for, and 64x48 came.' },
    ])
  },
)

describe('what a task says at its end', () => {
  it('is the error of the latest attempt that had one', () => {
    expect(conclude(attempts([['REJECTED', 'NOT_SENT']]), false)).toEqual({
      status: 'FAILED',
      error: ERROR,
      warnings: [],
    })
  })

  it('is no error when images came, and a warning for each part without', () => {
    const { status, error, warnings } = conclude(
      attempts([['SUCCEEDED'], ['FAILED'], ['SUCCEEDED'], ['CANCELED']]),
      false,
    )
    expect([status, error]).toEqual(['SUCCEEDED', null])
    expect(warnings).toEqual([
      { code: 'IMAGES_MISSING', field: 'n', message: '2 images are missing: It broke.' },
      { code: 'IMAGES_MISSING', field: 'n', message: '2 images are missing: the attempt was canceled.' },
    ])
  })
})
