// More images than an upstream makes per request, through a real gateway: each part is a separate request with its own
// attempt, permit and charge.
import { describe, expect, it } from 'vitest'
import { readFinalState } from '../support/final-state.ts'
import { newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { startFleet } from './fleet.ts'
import type { CannedReply } from './upstreams/fake.ts'
import { pmockReply } from './upstreams/pmock.ts'

interface Task {
  task: {
    status: string
    charged: string
    images: { sha256: string }[]
    warnings: { code: string; field: string; message: string }[]
    error: unknown
  }
}

const TASK = `query ($id: ID!) {
  task(id: $id) { status charged images { sha256 } warnings { code field message } error { code } }
}`

/** Generates three images at an upstream that makes one per request. `replies` are for the first submits. */
async function threeFrom(name: 'jimmy' | 'pmock', more: object, ...replies: CannedReply[]) {
  const fleet = await startFleet()
  const place = await newPlace('sqlite')
  try {
    const upstream = fleet[name]
    upstream.script(...replies)
    const entry = fleet.entries.find((one) => one.name === name)
    const gateway = await openGateway({ place, providers: [{ ...entry, ...more }] })
    const id = await gateway.generate({ prompt: 'three foxes', n: 3 })
    await gateway.ended(id)
    const { task } = await gateway.get<Task>(TASK, { id })
    await gateway[Symbol.asyncDispose]()
    const submits = upstream.requests.filter(({ method }) => method === 'POST')
    const charges = [...upstream.charges.values()].reduce((sum, count) => sum + count, 0)
    return {
      task,
      submits: submits.map(({ parameters }) => parameters.n),
      charges,
      ...(await readFinalState(place)),
    }
  } finally {
    await fleet.close()
    await place.remove()
  }
}

const SAFETY = 'Your request was rejected by the safety system.'
const BLOCKED = {
  jimmy: { status: 200, body: { code: 20002, msg: SAFETY, data: null } },
  pmock: pmockReply(400, null, SAFETY),
}

describe.each(['jimmy', 'pmock'] as const)('three images from %s, which makes one at a time', (name) => {
  // The synchronous mode of jimmy, because its submits contain the number of images.
  const settings = name === 'jimmy' ? { mode: 'sync' } : {}

  it('take three requests, three attempts, three permits and three charges', async () => {
    const { task, submits, charges, tasks, attempts, assets, violated } = await threeFrom(name, settings)
    expect(task).toMatchObject({ status: 'SUCCEEDED', charged: 'YES', warnings: [], error: null })
    expect(task.images).toHaveLength(3)
    expect(submits).toEqual([1, 1, 1])
    expect(charges).toBe(3)
    expect(tasks).toMatchObject([{ parts: 3, chargesOpen: 3 }])
    expect(
      attempts.map(({ part, n, state, charged }) => `${part}: ${n} ${state} ${charged}`).toSorted(),
    ).toEqual(['0: 1 SUCCEEDED YES', '1: 1 SUCCEEDED YES', '2: 1 SUCCEEDED YES'])
    expect(new Set(assets.map(({ position }) => position))).toEqual(new Set([0, 1, 2]))
    expect(violated).toEqual([])
  })

  it.each([
    { what: 'perhaps charged', more: {}, state: 'FAILED', charged: 'UNKNOWN', open: 3 },
    {
      what: 'not charged with unbilledFailures',
      more: { unbilledFailures: true },
      state: 'REJECTED',
      charged: 'NO',
      open: 2,
    },
  ])('are returned without a blocked one, which is $what', async ({ more, state, charged, open }) => {
    const { task, submits, charges, tasks, attempts, violated } = await threeFrom(
      name,
      { ...settings, ...more },
      BLOCKED[name],
    )
    expect(task).toMatchObject({ status: 'SUCCEEDED', charged: 'YES', error: null })
    expect(task.images).toHaveLength(2)
    expect(task.warnings).toEqual([
      {
        code: 'IMAGES_MISSING',
        field: 'n',
        message: expect.stringMatching(/^One image is missing: .*safety system/),
      },
    ])
    expect(submits).toEqual([1, 1, 1])
    expect(charges).toBe(2)
    expect(tasks).toMatchObject([{ parts: 3, chargesOpen: open }])
    const ends = attempts.map((attempt) => `${attempt.state} ${attempt.charged}`).toSorted()
    expect(ends).toEqual([`${state} ${charged}`, 'SUCCEEDED YES', 'SUCCEEDED YES'])
    expect(violated).toEqual([])
  })

  it('fail together when all are blocked', async () => {
    const replies = Array.from({ length: 3 }, () => BLOCKED[name])
    const { task, charges, violated } = await threeFrom(name, settings, ...replies)
    expect(task).toMatchObject({ status: 'FAILED', charged: 'UNKNOWN', images: [], warnings: [] })
    expect(task.error).toEqual({ code: 'MODERATION_BLOCKED' })
    expect(charges).toBe(0)
    expect(violated).toEqual([])
  })
})
