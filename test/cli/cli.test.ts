import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { BIN, darkroom as runDarkroom } from './darkroom.ts'

const SOURCE = resolve('src/cli.ts')
const COMMANDS = [
  'serve',
  'demo',
  'keys',
  'projects',
  'budgets',
  'usage',
  'attempt',
  'data-folders',
  'doctor',
  'models',
  'providers-check',
  'backup',
  'migrate',
  'schema',
  'help',
]

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-cli-'))
})
afterAll(async () => {
  await rm(cwd, { recursive: true })
})

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** Runs the binary in an empty folder. */
const darkroom = (args: readonly string[], options: Partial<Parameters<typeof runDarkroom>[1]> = {}) =>
  runDarkroom(args, { cwd, ...options })

describe('help', () => {
  it('lists every command, aligned and without control characters', async () => {
    const { exitCode, stdout, stderr } = await darkroom([])
    expect([exitCode, stderr]).toEqual([0, ''])
    for (const name of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name.padEnd(15)} {3}\\S`, 'm'))
    }
    expect(stdout).not.toContain('\x1b')
  })

  it('is the same for help <command>, --help and -h', async () => {
    const pages = await Promise.all(
      [
        ['help', 'demo'],
        ['demo', '--help'],
        ['demo', 'a fox', '-h'],
      ].map((args) => darkroom(args)),
    )
    expect(pages.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    expect(new Set(pages.map(({ stdout }) => stdout)).size).toBe(1)
    expect(pages[0]?.stdout).toContain('--partials <number>')
  })

  it('fits into 100 columns', async () => {
    const pages = await Promise.all(COMMANDS.map((name) => darkroom(['help', name])))
    const lines = pages.flatMap(({ stdout }) => stdout.split('\n'))
    expect(lines.length).toBeGreaterThan(40)
    expect(lines.filter((line) => line.length > 100)).toEqual([])
  })

  it('prints its version', async () => {
    expect(await darkroom(['--version'])).toEqual({
      exitCode: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    })
  })
})

describe('an invalid command line exits with 64', () => {
  it.each<[line: string, args: string[], message: string]>([
    ['an unknown command', ['srve'], 'There is no command "srve". Did you mean `serve`?'],
    ['a command unlike all others', ['paint'], 'There is no command "paint".'],
    ['an unknown option without a command', ['--verison'], 'There is no option "--verison".'],
    ['help for an unknown command', ['help', 'dem'], 'There is no command "dem". Did you mean `demo`?'],
    [
      'an unknown option',
      ['serve', '--prot', '1'],
      '`darkroom serve` has no option --prot. Did you mean `--port`?',
    ],
    ['a short option', ['serve', '-p'], '`darkroom serve` has no option -p.'],
    ['an option without its value', ['serve', '--port'], '--port needs a value: --port=<number>.'],
    ['a flag with a value', ['schema', '--check=yes'], '--check takes no value.'],
    ['contradictory flags', ['schema', '--check', '--write'], 'Pass either --write or --check.'],
    ['an unexpected argument', ['serve', 'now'], '`darkroom serve` takes options only, but got "now".'],
    ['no ID', ['attempt'], '`darkroom attempt` takes one ID, of an attempt or a task.'],
    ['two IDs', ['attempt', 'att_1', 'att_2'], '`darkroom attempt` takes one ID'],
    ['an unknown quality', ['demo', '--quality', 'meduim'], 'Did you mean `medium`?'],
    ['a number out of range', ['demo', '--n', '11'], '--n is "11"; it must be a whole number from 1 to 10.'],
    [
      'too many partial images',
      ['demo', '--partials', '4'],
      '--partials is "4"; it must be a whole number from 0 to 3.',
    ],
    [
      'an invalid URL',
      ['demo', '--url', 'localhost'],
      '--url is "localhost"; it must be the URL of a server',
    ],
  ])('%s', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await darkroom(args)
    expect([exitCode, stdout]).toEqual([64, ''])
    expect(stderr).toContain(message)
  })
})

describe('options that npm keeps because `--` is missing', () => {
  const npm = { npm_command: 'run', npm_lifecycle_event: 'darkroom', npm_lifecycle_script: 'node src/cli.ts' }
  const demo = { ...npm, npm_lifecycle_event: 'demo', npm_lifecycle_script: 'node src/cli.ts demo' }

  it.each<[line: string, args: string[], env: Record<string, string>, use: string]>([
    [
      'npm run darkroom usage --by day',
      ['usage', 'day'],
      { ...npm, npm_config_by: 'true' },
      'npm run darkroom -- usage --by day',
    ],
    [
      'npm run darkroom usage --by day, with npm 11',
      ['usage', 'day'],
      { ...npm, npm_config_bypass_2fa: 'true' },
      'npm run darkroom -- usage --by day',
    ],
    [
      'npm run darkroom usage --by=day --time-zone=UTC',
      ['usage'],
      { ...npm, npm_config_by: 'day', npm_config_time_zone: 'UTC' },
      'npm run darkroom -- usage --by day --time-zone UTC',
    ],
    [
      'npm run darkroom doctor --json',
      ['doctor'],
      { ...npm, npm_config_json: 'true' },
      'npm run darkroom -- doctor --json',
    ],
    ['npm run darkroom usage now', ['usage', 'now'], npm, 'npm run darkroom -- usage [options]'],
    [
      'npm run demo fox --partials 1',
      ['demo', 'fox', '1'],
      { ...demo, npm_config_partials: 'true' },
      'npm run demo -- … --partials <number>',
    ],
    [
      'npm start --port 80',
      ['serve', '80'],
      {
        ...npm,
        npm_command: 'start',
        npm_config_port: 'true',
        npm_lifecycle_script: 'node src/cli.ts serve',
      },
      'npm start -- --port 80',
    ],
  ])('are refused with the right command line: %s', async (_, args, env, use) => {
    const { exitCode, stdout, stderr } = await darkroom(args, { env })
    expect([exitCode, stdout]).toEqual([64, ''])
    expect(stderr).toContain(`npm passes options on only after \`--\`. Use:\n  ${use}\n`)
  })

  it('are not expected in a script that npm appends nothing to', async () => {
    const env = { ...npm, npm_lifecycle_script: 'darkroom schema | head', npm_config_check: 'true' }
    expect(await darkroom(['schema'], { env })).toMatchObject({ exitCode: 0 })
  })
})

describe('an invalid configuration exits with 78', () => {
  it('and reports every problem', async () => {
    const env = { PORT: '99999', HOST: 'no host', DARKROOM_ADMIN_KEY: 'adm-secret-secret' }
    const { exitCode, stdout, stderr } = await darkroom(['serve'], { env })
    expect([exitCode, stdout]).toEqual([78, ''])
    expect(stderr).toContain('The configuration has 3 problems.')
    expect(stderr.match(/^ {2}× /gm)).toHaveLength(3)
    expect(stderr).not.toContain('adm-secret-secret')
  })

  it('for demo and migrate as well', async () => {
    const env = { LOG_LEVEL: 'loud' }
    const results = await Promise.all([darkroom(['demo'], { env }), darkroom(['migrate'], { env })])
    expect(results.map(({ exitCode }) => exitCode)).toEqual([78, 78])
  })

  it('and names an option rather than the variable that it overrides', async () => {
    const { stderr } = await darkroom(['serve', '--port', '70000'], { env: { PORT: '80000' } })
    expect(stderr).toContain('--port is "70000"')
  })
})

// A preload that replaces the version of Node, because process.versions is read-only.
const pretend = (version: string) => [
  '--import',
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
]

describe('the binary', () => {
  it.each([
    ['20.20.2', BIN],
    ['23.11.1', BIN],
    ['23.11.1', SOURCE],
  ])('refuses Node %s in %s', async (version, bin) => {
    const { exitCode, stderr } = await darkroom(['--version'], { bin, node: pretend(version) })
    expect(exitCode).toBe(78)
    expect(stderr).toContain(`Darkroom needs Node.js 24 or newer, and this is Node.js ${version}: `)
  })

  it.each([
    ['24.0.0', BIN],
    ['26.0.0', SOURCE],
  ])('accepts Node %s in %s', async (version, bin) => {
    expect(await darkroom(['--version'], { bin, node: pretend(version) })).toMatchObject({ exitCode: 0 })
  })
})

it('prints no colors outside of a terminal', async () => {
  await writeFile(join(cwd, 'bad.json'), '{"prot":1}')
  const { stderr } = await darkroom(['serve'], {
    env: { DARKROOM_CONFIG: 'bad.json', TERM: 'xterm-256color' },
  })
  expect(stderr).toContain('bad.json: prot is not a setting. Did you mean `port`?')
  expect(stderr).not.toContain('\x1b')
})

it('demo reports a server that is not running', async () => {
  const port = await freePort()
  const { exitCode, stderr } = await darkroom(['demo', '--url', `http://127.0.0.1:${port}`])
  expect([exitCode, stderr]).toEqual([
    1,
    `Connection refused by 127.0.0.1:${port}. Check that the server is running there.\n`,
  ])
})
