import { describe, expect, it } from 'vitest'
import { TRANSPORTS } from '../support/client.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { execute } from '../support/execute.ts'
import { openGateway } from '../support/gateway.ts'

const PROVIDER = `{
  name health modes recovery failureCharge cooldowns { model reason startedAt endsAt }
  models { name price { inputTextMicros imageMicros version } capabilities { maxN sizes { rule } } retiresOn }
}`

describe.each(DATABASES)('providers on %s', (database) => {
  it('list their properties, models and prices', async () => {
    const key = { apiKey: 'sk-test-key' }
    const acedata = {
      name: 'ace',
      dialect: 'acedata',
      ...key,
      models: [{ name: 'dall-e-3', price: { imageMicros: 40_000 } }],
    }
    const providers = [{ name: 'openai', dialect: 'openai', ...key }, acedata]
    await using server = await openGateway({ database, providers })
    const { providers: shown } = await server.get<{ providers: unknown[] }>(`{ providers ${PROVIDER} }`)
    expect(shown).toMatchObject([
      {
        name: 'openai',
        health: 'HEALTHY',
        modes: ['SYNC', 'STREAM'],
        recovery: 'NONE',
        failureCharge: 'UNKNOWN',
        cooldowns: [],
      },
      {
        name: 'ace',
        modes: ['CALLBACK', 'POLL'],
        recovery: 'CLIENT_REF',
        models: [
          {
            name: 'dall-e-3',
            price: {
              imageMicros: 40_000,
              inputTextMicros: null,
              version: expect.stringMatching(/^configured-[0-9a-f]{8}$/) as string,
            },
          },
        ],
      },
    ])
  })

  it('are nodes, as are their models, also after a provider has left the configuration', async () => {
    const place = await newPlace(database)
    await using _ = { [Symbol.asyncDispose]: () => place.remove() }
    const [first, other] = ['first_1', 'other'].map((name) => ({ name, dialect: 'sandbox', durationMs: 0 }))
    const NODES = `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Provider { configured } ... on Model { name } } }`
    const ids = [
      'provider_first_1',
      'model_first_1/gpt-image-2',
      'provider_',
      'provider_third',
      'model_third/gpt-image-2',
    ]
    {
      await using server = await openGateway({ place, providers: [first!] })
      await server.ended(await server.generate({ prompt: 'a fox' }))
      const { providers } = await server.get<{ providers: { id: string; models: { id: string }[] }[] }>(
        '{ providers { id models { id } } }',
      )
      expect(providers.flatMap(({ id, models }) => [id, ...models.map((model) => model.id)])).toEqual(
        expect.arrayContaining(ids.slice(0, 2)),
      )
      expect(await server.get(NODES, { ids })).toEqual({
        nodes: [
          { __typename: 'Provider', id: ids[0], configured: true },
          { __typename: 'Model', id: ids[1], name: 'gpt-image-2' },
          null,
          null,
          null,
        ],
      })
    }
    await using server = await openGateway({ place, providers: [other!] })
    expect(await server.get(NODES, { ids })).toEqual({
      nodes: [{ __typename: 'Provider', id: ids[0], configured: false }, null, null, null, null],
    })
  })

  it('get no work while paused, and continue when resumed', async () => {
    const providers = ['sandbox', 'other'].map((name) => ({ name, dialect: 'sandbox', durationMs: 0 }))
    await using server = await openGateway({ database, providers, engine: { pollMs: 50 } })
    const pause =
      'mutation { pauseProvider(input: { name: "sandbox", reason: "invoice unclear" }) { provider ' +
      PROVIDER +
      ' } }'
    const { pauseProvider } = await server.get<{ pauseProvider: unknown }>(pause)
    expect(pauseProvider).toMatchObject({
      provider: {
        health: 'PAUSED',
        cooldowns: [{ model: null, reason: 'invoice unclear', endsAt: null }],
      },
    })
    const id = await server.generate({ prompt: 'a fox', providers: ['sandbox'] })
    const status = async () =>
      (
        await server.get<{ task: { status: string } }>('query ($id: ID!) { task(id: $id) { status } }', {
          id,
        })
      ).task.status
    // Another task succeeds meanwhile.
    await server.ended(await server.generate({ prompt: 'a hare', providers: ['other'] }))
    expect(await status()).toBe('QUEUED')
    const { resumeProvider } = await server.get<{ resumeProvider: unknown }>(
      'mutation { resumeProvider(input: { name: "sandbox" }) { provider { health } } }',
    )
    expect(resumeProvider).toEqual({ provider: { health: 'HEALTHY' } })
    expect(await server.ended(id)).toEqual({ status: 'SUCCEEDED' })
  })

  it('are sent again when their health, cooldowns or queues change', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }]
    await using server = await openGateway({ database, providers })
    type States = {
      providers: { health: string; queuedAttempts: number; cooldowns: { reason: string }[] }[]
    }
    const text = 'subscription { providers { health queuedAttempts cooldowns { reason } } }'
    const streams = TRANSPORTS.map((transport) =>
      server.watch<States>(transport, text)[Symbol.asyncIterator](),
    )
    // Every viewer receives every state.
    const next = async () => {
      const states = await Promise.all(
        streams.map(async (stream) => ((await stream.next()).value as { data: States }).data.providers),
      )
      expect(states).toEqual(streams.map(() => states[0]))
      return states[0]!
    }
    expect(await next()).toEqual([{ health: 'HEALTHY', queuedAttempts: 0, cooldowns: [] }])
    await server.get(
      'mutation { pauseProvider(input: { name: "sandbox", reason: "test" }) { provider { id } } }',
    )
    const paused = { health: 'PAUSED', cooldowns: [{ reason: 'test' }] }
    expect(await next()).toEqual([{ ...paused, queuedAttempts: 0 }])
    const id = await server.generate({ prompt: 'a fox' })
    expect(await next()).toEqual([{ ...paused, queuedAttempts: 1 }])
    await server.get('mutation { resumeProvider(input: { name: "sandbox" }) { provider { id } } }')
    await server.ended(id)
    let last = await next()
    while (last[0]!.queuedAttempts > 0) last = await next()
    expect(last).toEqual([{ health: 'HEALTHY', queuedAttempts: 0, cooldowns: [] }])
    for (const stream of streams) await stream.return?.()
  })

  it('are sent again when a cooldown expires', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }]
    await using server = await openGateway({ database, providers })
    const startedAt = Date.now()
    await execute(
      server.place,
      `insert into provider_cooldowns (provider, model, reason, since, until) values ('sandbox', '', 'busy', ${startedAt}, ${startedAt + 2500})`,
    )
    const healths: string[] = []
    for await (const { data } of server.watch<{ providers: { health: string }[] }>(
      'SSE',
      'subscription { providers { health } }',
    )) {
      healths.push(data!.providers[0]!.health)
      if (healths.includes('PROBING')) break
    }
    expect(healths).toEqual(['COOLDOWN', 'PROBING'])
    expect(Date.now() - startedAt).toBeLessThan(8000)
  })

  it('cannot be paused if the provider or the model is unknown', async () => {
    await using server = await openGateway({ database })
    const unknown = await server.execute(
      'mutation { pauseProvider(input: { name: "opnai" }) { provider { name } } }',
    )
    expect(unknown.errors?.[0]).toMatchObject({ extensions: { code: 'PROVIDER_UNKNOWN', field: 'name' } })
    const model = await server.execute(
      'mutation { pauseProvider(input: { name: "sandbox", model: "gpt-9" }) { provider { name } } }',
    )
    expect(model.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'model' } })
  })
})

describe.each(DATABASES)('attempts with an unknown outcome on %s', (database) => {
  const REVIEW = `{ attemptsNeedingReview { nodes {
    id state charged wirePhase task { id } advice { text resolutions canFetch }
  } pageInfo { hasNextPage } } reviewSummary { outcomeUnknown costUnknown costEstimated heldMicros oldestAt } }`
  const RESOLVE = `mutation ($id: ID!) {
    resolveAttempt(input: { id: $id, resolution: CHARGED_RESULT_LOST, note: "on the bill" }) {
      attempt { state charged decisions { resolution note } }
    }
  }`

  it('are listed with their evidence until an operator resolves them, with an audit entry', async () => {
    await using server = await openGateway({ database })
    const id = await server.generate({ prompt: 'a fox [sandbox:vanish]' })
    expect(await server.ended(id)).toEqual({ status: 'OUTCOME_UNKNOWN' })
    const { attemptsNeedingReview, reviewSummary } = await server.get<{
      attemptsNeedingReview: { nodes: { id: string }[] }
      reviewSummary: object
    }>(REVIEW)
    expect(reviewSummary).toEqual({
      outcomeUnknown: 1,
      costUnknown: 0,
      costEstimated: 0,
      heldMicros: expect.any(Number),
      oldestAt: expect.any(String),
    })
    expect(attemptsNeedingReview).toMatchObject({
      nodes: [
        {
          state: 'UNKNOWN',
          charged: 'UNKNOWN',
          wirePhase: 'DISPATCHED',
          task: { id },
          advice: {
            text: expect.stringMatching(/^Look for att_\w+ on the bill of sandbox, or ask its support\./),
            resolutions: ['NOT_CHARGED', 'CHARGED_RESULT_LOST'],
            canFetch: false,
          },
        },
      ],
      pageInfo: { hasNextPage: false },
    })
    const [attempt] = attemptsNeedingReview.nodes
    const { resolveAttempt } = await server.get<{ resolveAttempt: { attempt: unknown } }>(RESOLVE, {
      id: attempt!.id,
    })
    expect(resolveAttempt.attempt).toEqual({
      state: 'FAILED',
      charged: 'YES',
      decisions: [{ resolution: 'CHARGED_RESULT_LOST', note: 'on the bill' }],
    })
    expect(await server.get(REVIEW)).toMatchObject({
      attemptsNeedingReview: { nodes: [] },
      reviewSummary: { outcomeUnknown: 0, heldMicros: 0, oldestAt: null },
    })
  })
})
