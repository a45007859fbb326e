import { describe, expect, it } from 'vitest'
import { parseSize, type AttemptState, type TaskError, type TaskStatus } from '../../src/domain.ts'
import { conclude, type AttemptSummary } from '../../src/engine/attempts/conclude.ts'
import { sizeWarnings } from '../../src/engine/attempts/result-warnings.ts'
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

describe('the status of a task', () => {
  it.each<[status: TaskStatus, parts: AttemptState[][]]>([
    ['QUEUED', [['PLANNED']]],
    ['QUEUED', [['LEASED']]],
    ['QUEUED', [['REJECTED', 'PLANNED']]],
    ['QUEUED', [['SUCCEEDED'], ['PLANNED']]],
    ['RUNNING', [['SENDING']]],
    ['RUNNING', [['ACCEPTED'], ['PLANNED']]],
    ['RUNNING', [['UNKNOWN', 'SENDING']]],
    ['RUNNING', [['UNKNOWN'], ['SENDING']]],
    ['RUNNING', [['FETCHING']]],
    ['RUNNING', [['FETCHING'], ['PLANNED']]],
    ['OUTCOME_UNKNOWN', [['UNKNOWN']]],
    ['OUTCOME_UNKNOWN', [['UNKNOWN', 'FAILED']]],
    ['OUTCOME_UNKNOWN', [['SUCCEEDED'], ['UNKNOWN']]],
    ['SUCCEEDED', [['SUCCEEDED']]],
    ['SUCCEEDED', [['REJECTED', 'SUCCEEDED']]],
    ['SUCCEEDED', [['SUCCEEDED', 'UNKNOWN']]],
    ['SUCCEEDED', [['SUCCEEDED'], ['FAILED']]],
    ['FAILED', [['FAILED']]],
    ['FAILED', [['REJECTED'], ['NOT_SENT']]],
  ])('is %s with attempts %j', (status, parts) => {
    expect(conclude(attempts(parts), false).status).toBe(status)
  })

  it.each<[status: TaskStatus, parts: AttemptState[][]]>([
    ['CANCELED', [['CANCELED']]],
    ['CANCELED', [['SUCCEEDED']]],
    ['CANCELED', [['UNKNOWN']]],
    ['CANCELED', [['FETCHING']]],
    ['CANCELED', [['REJECTED'], ['CANCELED']]],
    ['RUNNING', [['SENDING'], ['CANCELED']]],
  ])('is %s with attempts %j after a cancel request', (status, parts) => {
    expect(conclude(attempts(parts), true).status).toBe(status)
  })
})

describe('the size of returned images', () => {
  it.each<[requested: string, received: string[], message: string | undefined]>([
    ['1024x1024', ['1024x1024', '1024x1024'], undefined],
    ['auto', ['7x9'], undefined],
    ['1024x1024', ['1024x1536'], 'size is 1024x1024; the provider returned 1024x1536.'],
    ['64x48', ['64x48', '48x64', '64x64', '64x64'], 'size is 64x48; the provider returned 48x64, 64x64.'],
  ])('requested as %s and received as %j', (requested, received, message) => {
    const images = received.map((size) => ({ ...parseSize(size)!, mimeType: 'image/png' as const }))
    expect(sizeWarnings(requested, images)).toEqual(
      message ? [{ code: 'SIZE_DIFFERS', field: 'size', message }] : [],
    )
  })
})

it.each(DATABASES)(
  'keeps an image of another size than requested, with a warning, on %s',
  async (database) => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const { id } = await one.create({ size: '1024x1024' })
    const { warnings } = await one.reached(id, 'SUCCEEDED')
    expect(warnings).toEqual([
      { code: 'SIZE_DIFFERS', field: 'size', message: 'size is 1024x1024; the provider returned 64x48.' },
    ])
  },
)

describe('the error and warnings of a finished task', () => {
  it('take the error of the latest attempt that has one', () => {
    expect(conclude(attempts([['REJECTED', 'NOT_SENT']]), false)).toEqual({
      status: 'FAILED',
      error: ERROR,
      warnings: [],
    })
  })

  it('have no error when there are images, and a warning for each part without images', () => {
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
