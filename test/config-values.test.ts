import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cwd, KEY, load, openai, problemsOf, useConfigFolder } from './support/config-loader.ts'

useConfigFolder()

describe('the configuration', () => {
  it('has a default for every setting, and a sandbox without other providers', async () => {
    const { providers, ...rest } = await load({})
    expect(rest).toEqual({
      port: 4_000,
      host: '127.0.0.1',
      publicUrl: null,
      adminKey: null,
      dataDir: join(cwd, 'data'),
      databaseUrl: null,
      assetsUrl: null,
      assetsDelivery: 'proxy',
      logLevel: 'info',
      corsOrigins: [],
      trustedProxies: [],
      introspection: true,
      operatorIntrospection: true,
      persistedQueries: 'off',
      persistedQueriesFile: null,
      dashboard: true,
      limits: {
        requestsPerMinute: null,
        tasksPerMinute: null,
        concurrentTasks: null,
        uploadBytesPerMinute: null,
      },
      rest: {
        attach: 'undelivered',
        cancelOnHangup: 'queued',
        hangupGraceMs: 30_000,
        modelAliases: {},
        undeliveredMs: 900_000,
        waitMs: 280_000,
      },
      metrics: true,
      traceUpstreams: false,
      unknownCost: { after: '7d', post: 'KEEP' },
      redact: expect.any(Function),
      engine: {
        maxAttempts: 3,
        leaseMs: 30_000,
        heartbeatMs: 10_000,
        reapMs: 5_000,
        resendGraceMs: 900_000,
        recheckMs: 5_000,
        maxCooldownMs: 300_000,
        lookupDelaysMs: [5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000],
        pollMs: 1_000,
        progressIntervalMs: 500,
        shutdownDelayMs: 0,
        drainTimeoutMs: 240_000,
      },
      retention: {
        eventsMs: 604_800_000,
        partialImagesMs: 86_400_000,
        deliveriesMs: 2_592_000_000,
        callbacksMs: 604_800_000,
        tasksMs: null,
      },
      warnings: [],
    })
    expect(providers.map(({ name, dialect }) => [name, dialect])).toEqual([['sandbox', 'sandbox']])
  })

  it('reads what a server on a network needs from the environment', async () => {
    const config = await load({
      env: {
        CORS_ORIGINS: 'https://app.example.com, http://localhost:3000',
        TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1/32',
        INTROSPECTION: 'off',
      },
      file: { corsOrigins: ['https://other.example.com'], introspection: 'on' },
    })
    expect(config).toMatchObject({
      corsOrigins: ['https://app.example.com', 'http://localhost:3000'],
      trustedProxies: ['10.0.0.0/8', '127.0.0.1/32'],
      introspection: false,
      operatorIntrospection: false,
    })
    expect(await problemsOf({ env: { CORS_ORIGINS: 'https://app.example.com,*' } })).toEqual([
      'CORS_ORIGINS is "*"; it must be one origin as browsers send it, such as https://app.example.com. "*" is not accepted.',
    ])
  })

  it('prefers flags to the environment, and the environment to the file', async () => {
    const config = await load({
      flags: { port: '1' },
      env: { PORT: '2', DATA_DIR: 'two', DATABASE_URL: 'postgres://u:p@db/two' },
      file: {
        port: 3,
        dataDir: 'three',
        databaseUrl: 'nonsense',
        logLevel: 'error',
        publicUrl: 'https://three.example/',
      },
    })
    expect(config).toMatchObject({
      port: 1,
      dataDir: join(cwd, 'two'),
      databaseUrl: 'postgres://u:p@db/two',
      logLevel: 'error',
      publicUrl: 'https://three.example',
    })
  })

  it('treats an empty variable as unset', async () => {
    expect(await load({ env: { PORT: '', ASSETS_URL: '' }, file: { port: 3 } })).toMatchObject({ port: 3 })
  })

  it('inserts variables into strings and numbers', async () => {
    const config = await load({
      env: { ...KEY, NAME: 'two', P: '8080' },
      file: { port: '${P}', providers: [{ ...openai, name: 'open-${NAME}' }] },
    })
    expect([config.port, config.providers[0]?.name]).toEqual([8_080, 'open-two'])
  })

  it('adds providers of the environment under names that the file does not use', async () => {
    const env = { ...KEY, OPENAI_API_KEY: 'sk-abcdefgh' }
    const names = async (providers: unknown[]) =>
      (await load({ env, file: { providers } })).providers.map(({ name }) => name)
    expect(await names([{ name: 'mine', dialect: 'sandbox' }])).toEqual(['mine', 'openai'])
    expect(await names([openai])).toEqual(['openai'])
  })

  it('can be a module that DARKROOM_CONFIG names', async () => {
    await writeFile(join(cwd, 'my.ts'), 'const port: number = 4321\nexport default { port }\n')
    expect(await load({ env: { DARKROOM_CONFIG: 'my.ts' } })).toMatchObject({ port: 4_321 })
  })

  it('is frozen', async () => {
    const config = await load({})
    expect([config, config.engine, config.providers, config.corsOrigins].every(Object.isFrozen)).toBe(true)
  })

  it.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    'localhost',
    '0.0.0.0',
    '::',
    '192.168.1.2',
    'example.com',
  ])('accepts the host %s', async (host) => {
    expect(await load({ env: { HOST: host } })).toMatchObject({ host })
  })

  it.each(['', ' ', 'a b', '-a', '127.0.0.1:4000', '[::1]', 'http://localhost'])(
    'refuses the host "%s"',
    async (host) => {
      expect(await problemsOf({ flags: { host } })).toHaveLength(1)
    },
  )

  it('warns of variables that look like settings but have no effect', async () => {
    const { warnings } = await load({
      env: { DARKROOM_CONFG: 'x', DARKROOM_PORT: '1', OPENAI_BASE_URL: 'u' },
    })
    expect(warnings).toEqual([
      'DARKROOM_CONFG is not a setting and has no effect. Did you mean `DARKROOM_CONFIG`?',
      'DARKROOM_PORT is not a setting and has no effect. Did you mean `PORT`?',
      'OPENAI_BASE_URL has no effect without the credentials of `openai`.',
    ])
  })
})
