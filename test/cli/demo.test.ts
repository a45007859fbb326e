import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { darkroom } from './darkroom.ts'
import { startFakeServer } from './fake-server.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-demo-test-'))
})
afterEach(async () => {
  await rm(cwd, { recursive: true })
})

it('demo prints progress, images and cost as plain lines, and saves the images', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'YES', costMicros: '31740' })
  const { exitCode, stdout, stderr } = await darkroom(['demo', 'A', 'red fox', '--url', server.url], { cwd })
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(
    stdout
      .replace(/accepted in \d+ ms/g, 'accepted in 1 ms')
      .replaceAll(server.url, 'URL')
      .split('\n'),
  ).toEqual([
    '',
    '  A red fox',
    '  URL/graphql',
    '',
    '  task_1  accepted in 1 ms',
    '   20%  running',
    '   50%  running',
    expect.stringMatching(/^ {2}out\/a-red-fox-partial-1\.png {2}64×48, \d+ B$/),
    '  100%  done',
    expect.stringMatching(/^ {2}out\/a-red-fox\.png {2}64×48, \d+ B$/),
    '',
    '  Tokens         text    image    total',
    '  Input             –        –        –',
    '  Output            –        –        –',
    '  Total                               –  unknown: not reported by the provider',
    '',
    '  Cost       $0.03174',
    '  Provider   fake, model gpt-image-2',
    '  Time       accepted in 1 ms, queued for 500 ms, generated in 1.5 s',
    '  Attempts   1 succeeded',
    '  Warning    size: The size became 64x48.',
    '',
    '',
  ])
  expect(await readdir(join(cwd, 'out'))).toEqual(['a-red-fox-partial-1.png', 'a-red-fox.png'])
})

it('demo sends its options, with a new idempotency key each time', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO' })
  const options =
    '--size 64x48 --quality high --n 2 --partials 1 --model m --format webp --provider a,b --out elsewhere'
  const args = ['demo', 'x', '--url', server.url, ...options.split(' ')]
  await Promise.all([darkroom(args, { cwd }), darkroom(['demo', '--url', server.url], { cwd })])
  const [custom, byDefault] = server.inputs.toSorted((a) => (a['prompt'] === 'x' ? -1 : 1))
  const idempotencyKey = expect.stringMatching(/^demo-[\w-]{36}$/) as unknown
  expect({ ...custom }).toEqual({
    prompt: 'x',
    size: '64x48',
    quality: 'HIGH',
    n: 2,
    partialImages: 1,
    model: 'm',
    outputFormat: 'WEBP',
    providers: ['a', 'b'],
    idempotencyKey,
  })
  expect({ ...byDefault }).toEqual({
    prompt: 'a red fox in the snow',
    n: 1,
    partialImages: 3,
    idempotencyKey,
  })
  expect(custom?.['idempotencyKey']).not.toBe(byDefault?.['idempotencyKey'])
  expect(await readdir(join(cwd, 'elsewhere'))).toContain('x.png')
})

it('demo resumes after the last cursor when the connection drops', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO', dropAfter: 1 })
  const { exitCode, stdout } = await darkroom(['demo', 'fox', '--url', server.url], { cwd })
  expect(exitCode).toBe(0)
  expect(server.resumes).toEqual([undefined, 'c1'])
  expect(stdout.match(/partial-1/g)).toHaveLength(1)
})

it('demo explains a failure and its cost, and exits with 1', async () => {
  const error = {
    code: 'MODERATION_BLOCKED',
    message: 'The prompt was refused.',
    charged: 'NO',
    retryable: false,
  }
  await using server = await startFakeServer({ status: 'FAILED', charged: 'NO', error })
  const { exitCode, stdout } = await darkroom(['demo', 'fox', '--url', server.url], { cwd })
  expect(exitCode).toBe(1)
  expect(stdout).toContain(
    '  The task failed.\n  The prompt was refused. (MODERATION_BLOCKED)\n  It was not charged.\n',
  )
  expect(stdout).toContain('  Cost       not charged\n')
})

it('demo does not wait for an unknown outcome', async () => {
  await using server = await startFakeServer({ status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
  const { exitCode, stdout } = await darkroom(['demo', 'fox', '--url', server.url], { cwd })
  expect(exitCode).toBe(1)
  expect(stdout).toContain(
    'It may have been charged: check the account at fake. It is not sent again automatically.',
  )
  expect(stdout).toContain('  Cost       unknown\n')
})

it('demo shows the error of a server', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO' })
  const { exitCode, stderr } = await darkroom(['demo', 'refuse me', '--url', server.url], { cwd })
  expect([exitCode, stderr]).toEqual([1, 'The size must be auto or WIDTHxHEIGHT.\n'])
})

it('demo reports a URL without a GraphQL server', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO' })
  const { exitCode, stderr } = await darkroom(['demo', 'fox', '--url', `${server.url}/elsewhere`], { cwd })
  expect(exitCode).toBe(1)
  expect(stderr).toBe(`${server.url}/elsewhere/graphql is not a GraphQL server: it returned status 404.\n`)
})

it('demo names the address and the setting when an image cannot be downloaded, without the signature', async () => {
  // fetch refuses the port 9.
  const imageUrl = 'http://127.0.0.1:9/assets/1.png?signature=secret'
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'YES', imageUrl })
  const { exitCode, stderr } = await darkroom(['demo', 'fox', '--url', server.url], { cwd })
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(
    /^http:\/\/127\.0\.0\.1:9\/assets\/1\.png could not be downloaded: .*PUBLIC_URL.*\n$/,
  )
  expect(stderr).not.toContain('secret')
})
