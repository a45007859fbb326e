import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { darkroom } from './darkroom.ts'
import { startFakeServer } from './fake-server.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-demo-test-'))
})
afterEach(async () => {
  await rm(cwd, { recursive: true })
})

test('tells the whole story in plain lines and leaves the pictures', async () => {
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
    '  URL/graphql, running already',
    '',
    '  task_1  accepted in 1 ms',
    '   20%  developing',
    '   50%  developing',
    expect.stringMatching(/^ {2}out\/a-red-fox-partial-1\.png {2}64×48, \d+ B$/),
    '  100%  fixed',
    expect.stringMatching(/^ {2}out\/a-red-fox\.png {2}64×48, \d+ B$/),
    '',
    '  tokens         text    image     both',
    '  input             –        –        –',
    '  output            –        –        –',
    '  total                               –  unknown, the provider did not say',
    '',
    '  cost       $0.03174',
    '  provider   fake, gpt-image-2',
    '  time       accepted in 1 ms, queued for 500 ms, developed in 1.5 s',
    '  attempts   1 succeeded',
    '  warning    size: The size became 64x48.',
    '',
    '',
  ])
  expect(await readdir(join(cwd, 'out'))).toEqual(['a-red-fox-partial-1.png', 'a-red-fox.png'])
})

test('asks for what its options say, and never twice under one key', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO' })
  const options =
    '--size 64x48 --quality high --n 2 --partials 1 --model m --format webp --provider a,b --out elsewhere'
  const args = ['demo', 'x', '--url', server.url, ...options.split(' ')]
  await Promise.all([darkroom(args, { cwd }), darkroom(['demo', '--url', server.url], { cwd })])
  const [asked, byDefault] = server.inputs.toSorted((a) => (a['prompt'] === 'x' ? -1 : 1))
  const idempotencyKey = expect.stringMatching(/^demo-[\w-]{36}$/) as unknown
  expect({ ...asked }).toEqual({
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
  expect(asked?.['idempotencyKey']).not.toBe(byDefault?.['idempotencyKey'])
  expect(await readdir(join(cwd, 'elsewhere'))).toContain('x.png')
})

test('goes on after the last cursor when the connection drops', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO', dropAfter: 1 })
  const { exitCode, stdout } = await darkroom(['demo', 'fox', '--url', server.url], { cwd })
  expect(exitCode).toBe(0)
  expect(server.resumes).toEqual([undefined, 'c1'])
  expect(stdout.match(/partial-1/g)).toHaveLength(1)
})

test('ends a failure with what happened, what it cost, and exit code 1', async () => {
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
    '  No picture this time.\n  The prompt was refused. (MODERATION_BLOCKED)\n  Nothing was charged.\n',
  )
  expect(stdout).toContain('  cost       nothing was charged\n')
})

test('does not wait for an outcome that nobody knows', async () => {
  await using server = await startFakeServer({ status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
  const { exitCode, stdout } = await darkroom(['demo', 'fox', '--url', server.url], { cwd })
  expect(exitCode).toBe(1)
  expect(stdout).toContain(
    'It may have been charged: see the account at fake. It is not sent again by itself.',
  )
  expect(stdout).toContain('  cost       unknown\n')
})

test('shows what the server refuses', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO' })
  const { exitCode, stderr } = await darkroom(['demo', 'refuse me', '--url', server.url], { cwd })
  expect([exitCode, stderr]).toEqual([1, 'The size must be auto or WIDTHxHEIGHT. (BAD_USER_INPUT)\n'])
})

test('says when there is no GraphQL at the address', async () => {
  await using server = await startFakeServer({ status: 'SUCCEEDED', charged: 'NO' })
  const { exitCode, stderr } = await darkroom(['demo', 'fox', '--url', `${server.url}/elsewhere`], { cwd })
  expect(exitCode).toBe(1)
  expect(stderr).toBe(`${server.url}/elsewhere/graphql answered 404, and not as a GraphQL server.\n`)
})
