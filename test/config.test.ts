import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  closed,
  cwd,
  FILE,
  KEY,
  NUMBER,
  openai,
  problemsOf,
  useConfigFolder,
  type Given,
} from './support/config-loader.ts'

useConfigFolder()

describe('a configuration mistake is reported as one sentence', () => {
  it.each<[sentence: string, given: Given]>([
    [`PORT is "99999"; ${NUMBER} 0 to 65535.`, { env: { PORT: '99999' } }],
    [`PORT is "http"; ${NUMBER} 0 to 65535.`, { env: { PORT: 'http' } }],
    [`--port is "-1"; ${NUMBER} 0 to 65535.`, { flags: { port: '-1' }, env: { PORT: '4000' } }],
    [`${FILE}: port is 1.5; ${NUMBER} 0 to 65535.`, { file: { port: 1.5 } }],
    [
      'HOST is "http://here"; it must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0, or a host name.',
      { env: { HOST: 'http://here' } },
    ],
    [
      'DATABASE_URL is "mysql://(hidden)@db/x"; it must be a postgres:// URL. Leave it out to use SQLite in the data directory.',
      { env: { DATABASE_URL: 'mysql://root:hunter2@db/x' } },
    ],
    [
      'PUBLIC_URL is "ftp://x"; it must be an http:// or https:// URL without credentials, query or fragment.',
      { env: { PUBLIC_URL: 'ftp://x' } },
    ],
    [
      'LOG_LEVEL is "wran"; it must be silent, fatal, error, warn, info, debug or trace. Did you mean `warn`?',
      { env: { LOG_LEVEL: 'wran' } },
    ],
    [
      'ASSETS_URL is "gs://bucket"; it must be an s3:// URL such as s3://bucket/prefix?region=eu-central-1.',
      { env: { ASSETS_URL: 'gs://bucket' } },
    ],
    [
      'ASSETS_URL is "s3://bucket?…"; its parameters are endpoint, publicEndpoint, region, pathStyle, encryption, kmsKeyId, and not "regoin".',
      { env: { ASSETS_URL: 's3://bucket?regoin=x' } },
    ],
    [
      'ASSETS_URL is "s3://(hidden)@bucket/"; it must not contain credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role.',
      { env: { ASSETS_URL: 's3://key:hunter2@bucket/' } },
    ],
    [
      'ASSETS_DELIVERY is "direct"; it must be proxy or redirect. Did you mean `redirect`?',
      { env: { ASSETS_DELIVERY: 'direct' } },
    ],
    [
      'DARKROOM_ADMIN_KEY is (hidden); it must have at least 32 characters, because anyone who guesses it can spend money. Generate one with `openssl rand -base64 33`.',
      { env: { DARKROOM_ADMIN_KEY: 'dk_admin_only-31-characters-xxx' } },
    ],
    [
      `${FILE}: adminKey is (hidden); it must be printable ASCII without spaces, because it is sent in a header.`,
      { file: { adminKey: 'ä'.repeat(40) } },
    ],
    [
      'DARKROOM_CONFIG is "nowhere.json"; this file does not exist.',
      { env: { DARKROOM_CONFIG: 'nowhere.json' } },
    ],
    [
      'DARKROOM_CONFIG is "a.yaml"; it must name a .ts, .js or .json file.',
      { env: { DARKROOM_CONFIG: 'a.yaml' } },
    ],
    [`${FILE}: prot is not a setting. Did you mean \`port\`?`, { file: { prot: 1 } }],
    [
      `${FILE}: retention.previewsMs is not a setting. Did you mean \`partialImagesMs\`?`,
      { file: { retention: { previewsMs: 1 } } },
    ],
    [
      `${FILE}: engine.lookAfterMs is not a setting. Did you mean \`lookupDelaysMs\`?`,
      { file: { engine: { lookAfterMs: [] } } },
    ],
    [
      `${FILE}: engine.progressEveryMs is not a setting. Did you mean \`progressIntervalMs\`?`,
      { file: { engine: { progressEveryMs: 1 } } },
    ],
    [`${FILE}: weather is not a setting.`, { file: { weather: 'fine' } }],
    [
      `${FILE}: engine.leaseMS is not a setting. Did you mean \`leaseMs\`?`,
      { file: { engine: { leaseMS: 1 } } },
    ],
    [
      `${FILE}: engine.heartbeatMs is 20000; it must be at most half of leaseMs, so that one missed heartbeat does not lose the lease.`,
      { file: { engine: { heartbeatMs: 20_000 } } },
    ],
    [`${FILE}: engine is "fast"; it must be an object.`, { file: { engine: 'fast' } }],
    [
      `${FILE}: retention.eventsMs is 0; ${NUMBER} 3600000 to 3153600000000.`,
      { file: { retention: { eventsMs: 0 } } },
    ],
    [
      `${FILE}: retention.partialImagesMs is null; it must be at most eventsMs, because clients find partial images through events.`,
      { file: { retention: { partialImagesMs: null } } },
    ],
    [
      `${FILE}: corsOrigins[1] is "*"; it must be one origin as browsers send it, such as https://app.example.com. "*" is not accepted.`,
      { file: { corsOrigins: ['http://localhost:5173', '*'] } },
    ],
    [
      `${FILE}: trustedProxies[0] is "10.0.0.1"; it must be a CIDR range, such as 10.0.0.0/8 or 127.0.0.1/32, and must not cover all addresses.`,
      { file: { trustedProxies: ['10.0.0.1'] } },
    ],
    [
      'persistedQueries is "allow-list"; set persistedQueriesFile to the file with the operations.',
      { file: { persistedQueries: 'allow-list' } },
    ],
    [
      `${FILE}: trustedProxies[0] is "0.0.0.0/0"; it must be a CIDR range, such as 10.0.0.0/8 or 127.0.0.1/32, and must not cover all addresses.`,
      { file: { trustedProxies: ['0.0.0.0/0'] } },
    ],
    [`${FILE}: introspection is "yes"; it must be auto, on or off.`, { file: { introspection: 'yes' } }],
    [
      'NODE_ENV is "development"; unset it or set it to "production" on a server that other machines can reach.',
      { env: { NODE_ENV: 'development', PUBLIC_URL: 'https://paint.example' } },
    ],
    [`${FILE}: providers is an object; it must be a list.`, { env: KEY, file: { providers: { openai } } }],
    [`${FILE} must contain an object with the settings.`, { file: [openai] }],
    [
      `${FILE}: providers[0].dialect is missing; it must be a string.`,
      { file: { providers: [{ name: 'a' }] } },
    ],
    [
      `${FILE}: providers[1].dialect is "opnai"; it must be sandbox or openai. Did you mean \`openai\`?`,
      {
        file: {
          providers: [
            { name: 'a', dialect: 'sandbox' },
            { name: 'b', dialect: 'opnai' },
          ],
        },
      },
    ],
    [
      `${FILE}: providers[0].dialect is "toString"; it must be sandbox or openai.`,
      { file: { providers: [{ name: 'a', dialect: 'toString' }] } },
    ],
    [
      `${FILE}: providers[0].name is "my key!"; it must be 1 to 64 letters, digits, dots, dashes or underscores, and start with a letter or digit.`,
      { file: { providers: [{ name: 'my key!', dialect: 'sandbox' }] } },
    ],
    [
      `${FILE}: providers[1].name is "openai"; another provider already has this name.`,
      { env: KEY, file: { providers: [openai, openai] } },
    ],
    [
      `${FILE}: providers[0].baseURL is not a setting. Did you mean \`baseUrl\`?`,
      { env: KEY, file: { providers: [{ ...openai, baseURL: 'https://x' }] } },
    ],
    [
      `${FILE}: providers[0].limits.perMinut is not a setting. Did you mean \`perMinute\`?`,
      { env: KEY, file: { providers: [{ ...openai, limits: { perMinute: 1, perMinut: 2 } }] } },
    ],
    [
      `${FILE}: providers[0].models[1].modle is not a setting. Did you mean \`model\`?`,
      { env: KEY, file: { providers: [{ ...openai, models: ['a', { model: 'b', modle: 'c' }] }] } },
    ],
    [
      `${FILE}: providers[0].models[0] is 5; it has none of the accepted forms.`,
      { env: KEY, file: { providers: [{ ...openai, models: [5] }] } },
    ],
    [
      `${FILE}: providers[0].preset is "pmok"; it must be openai or pmock. Did you mean \`pmock\`?`,
      { env: KEY, file: { providers: [{ ...openai, preset: 'pmok' }] } },
    ],
    [
      `${FILE}: providers[0].apiKey is missing; it must be a string.`,
      { file: { providers: [{ name: 'a', dialect: 'openai' }] } },
    ],
    [
      `${FILE}: providers[0].apiKey is (hidden); it must be at least 8 characters long.`,
      { env: { KEY: 'short' }, file: { providers: [openai] } },
    ],
    [
      `${FILE}: providers[0].apiKey uses \${KEYY}, but KEYY is not set. Did you mean \`KEY\`?`,
      { env: KEY, file: { providers: [{ ...openai, apiKey: '${KEYY}' }] } },
    ],
    [
      'environment: baseUrl of provider openai is "nonsense"; it must be a URL.',
      { env: { OPENAI_API_KEY: 'sk-abcdefgh', OPENAI_BASE_URL: 'nonsense' } },
    ],
    [
      'provider broken: cannot be created with [redacted]',
      { env: KEY, file: { providers: [openai, { ...openai, name: 'broken' }] } },
    ],
  ])('%s', async (sentence, given) => {
    expect(await problemsOf(given)).toEqual([sentence])
  })

  it('names the line of a JSON mistake without quoting it', async () => {
    await writeFile(join(cwd, FILE), '{\n  "providers": [\n    { "apiKey": sk-abcdefgh1234 }\n  ]\n}')
    expect(await problemsOf({})).toEqual([`${FILE} cannot be read: Unexpected token 's', line 3.`])
  })

  it('is read without its byte order mark', async () => {
    await writeFile(join(cwd, FILE), '\uFEFF[]')
    expect(await problemsOf({})).toEqual([`${FILE} must contain an object with the settings.`])
  })

  it('refuses two configuration files', async () => {
    await writeFile(join(cwd, 'darkroom.config.js'), 'export default {}')
    expect(await problemsOf({ file: {} })).toEqual([
      'darkroom.config.js and darkroom.config.json exist together. Keep one of them.',
    ])
  })
})

describe('the configuration', () => {
  it('reports every problem at once', async () => {
    const problems = await problemsOf({
      env: { PORT: '99999', HOST: 'no host', DATABASE_URL: 'mongodb://db', ASSETS_URL: 's3://b' },
      file: {
        prot: 1,
        engine: { pollMs: 'often' },
        providers: [
          { ...openai, extra: 1 },
          { name: 'x', dialect: 'opnai' },
        ],
      },
    })
    expect(problems.map((problem) => problem.split(' ').slice(0, 2).join(' ')).sort()).toEqual([
      'ASSETS_URL is',
      'DATABASE_URL is',
      'HOST is',
      'PORT is',
      `${FILE}: engine.pollMs`,
      `${FILE}: prot`,
      `${FILE}: providers[0].apiKey`,
      `${FILE}: providers[0].extra`,
      `${FILE}: providers[1].dialect`,
    ])
  })

  it('reports problems without secrets', async () => {
    const secrets = ['sk-abcdefgh1234', 'literal-secret-value', 'hunter2-hunter2', 'from-the-environment']
    const problems = await problemsOf({
      env: {
        ...KEY,
        DATABASE_URL: 'mysql://root:hunter2-hunter2@db/x',
        OPENAI_API_KEY: 'from-the-environment',
      },
      file: {
        port: '${KEY}',
        logLevel: 'from-the-environment',
        providers: [
          {
            ...openai,
            apiKey: ['literal-secret-value'],
            baseUrl: 'literal ${KEY}',
            preset: 'sk-abcdefgh1234',
          },
        ],
      },
    })
    expect(problems.length).toBeGreaterThan(4)
    for (const secret of secrets) expect(problems.join('\n')).not.toContain(secret)
  })

  it('closes the providers that were created before another one failed', async () => {
    await problemsOf({ env: KEY, file: { providers: [openai, { ...openai, name: 'broken' }] } })
    expect(closed).toEqual(['openai'])
  })
})
