// Each exit code of docs/cli.md, and --json of every command.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/main.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { darkroomHere } from './in-process.ts'

/** Commands without a result: they run, or print a text in another format. */
const WITHOUT_JSON = new Set(['serve', 'mcp', 'schema', 'completion', 'help'])

let gateway: TestGateway
let cwd: string
let taskId: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-exit-'))
  gateway = await openGateway()
  taskId = await gateway.generate({ prompt: 'a fox' })
  await gateway.ended(taskId)
  await writeFile(join(cwd, 'bill.csv'), 'attempt_id,amount_usd\n')
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await rm(cwd, { recursive: true })
})

const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  darkroomHere(args, { cwd, env: { DATA_DIR: gateway.place.dataDir, ...env } })

it('--json is an option of every command that has a result', () => {
  const without = COMMANDS.filter(({ options = {} }) => !('--json' in options)).map(({ name }) => name)
  expect(new Set(without)).toEqual(WITHOUT_JSON)
})

/** By command: arguments that succeed on the gateway of this test, and a key of the result. */
const SUCCESSES: Readonly<Record<string, (() => string[])[]>> = {
  demo: [() => ['demo', 'an owl', '--partials', '0', '--url', gateway.url]],
  tasks: [() => ['tasks', '--url', gateway.url]],
  task: [() => ['task', taskId, '--url', gateway.url]],
  // In tasks.test.ts.
  cancel: [],
  open: [() => ['open', taskId, '--print', '--url', gateway.url]],
  keys: [() => ['keys', 'list', '--url', gateway.url]],
  projects: [
    () => ['projects', '--url', gateway.url],
    () => ['projects', 'create', 'shop', '--url', gateway.url],
  ],
  budgets: [
    () => ['budgets', '--url', gateway.url],
    () => ['budgets', 'set', 'default', 'month', '250', '--url', gateway.url],
  ],
  usage: [() => ['usage']],
  attempt: [() => ['attempt', taskId], () => ['attempt', taskId, '--fetch', '--url', gateway.url]],
  attempts: [
    () => ['attempts', '--url', gateway.url],
    () => ['attempts', 'list', '--url', gateway.url],
    () => ['attempts', 'resolve', 'charged', '--all', '--note', 'x', '--url', gateway.url],
    () => ['attempts', 'adjust', 'bill.csv', '--note', 'x', '--url', gateway.url],
  ],
  bills: [
    () => [
      'bills',
      'import',
      'sandbox',
      'bill.csv',
      '--from',
      '2026-11-01',
      '--to',
      '2026-11-02',
      '--url',
      gateway.url,
    ],
  ],
  assets: [() => ['assets', 'copy', '--to', join(cwd, 'images')]],
  models: [() => ['models'], () => ['models', 'check']],
  'data-folders': [() => ['data-folders', '--url', gateway.url]],
  doctor: [() => ['doctor', '--skip-files']],
  'providers-check': [() => ['providers-check']],
  backup: [() => ['backup', 'copy.db']],
  migrate: [() => ['migrate']],
}

describe('--json prints one JSON value and nothing else', () => {
  it('for every command', () => {
    const tested = Object.keys(SUCCESSES)
    expect(new Set(tested)).toEqual(
      new Set(COMMANDS.map(({ name }) => name).filter((name) => !WITHOUT_JSON.has(name))),
    )
  })

  it.each(Object.entries(SUCCESSES))('%s', async (name, cases) => {
    for (const args of cases) {
      // The gateway of this test has the lock of its data folder.
      const env = name === 'migrate' ? { DATA_DIR: join(cwd, 'new') } : {}
      const { exitCode, stdout, stderr } = await run([...args(), '--json'], env)
      expect([args(), exitCode, stderr]).toEqual([args(), 0, ''])
      expect(JSON.parse(stdout)).toBeTypeOf('object')
      expect(stdout.endsWith('}\n')).toBe(true)
    }
  })
})

describe('the exit code', () => {
  it.each<[code: number, situation: string, args: () => string[], env?: NodeJS.ProcessEnv]>([
    [0, 'a success', () => ['task', taskId, '--url', gateway.url]],
    [1, 'an unknown task', () => ['task', 'task_none', '--url', gateway.url]],
    [1, 'an unknown attempt', () => ['attempt', 'att_none']],
    [1, 'a server that is not running', () => ['tasks', '--url', 'http://127.0.0.1:1']],
    [1, 'a URL without GraphQL', () => ['tasks', '--url', `${gateway.url}/livez`]],
    [64, 'an unknown option', () => ['tasks', '--colour']],
    [64, 'an invalid value', () => ['tasks', '--url', 'localhost']],
    [64, 'a missing argument', () => ['cancel']],
    [78, 'an invalid configuration', () => ['doctor'], { PORT: 'many' }],
    [78, 'a data folder in use', () => ['migrate']],
  ])('is %i for %s', async (code, _, args, env) => {
    const { exitCode, stdout, stderr } = await run(args(), env)
    expect([exitCode, stdout === '', stderr === '']).toEqual([code, code !== 0, code === 0])
  })
})
