import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { BIN, darkroom as runDarkroom } from './darkroom.ts'

const SOURCE = resolve('src/cli.ts')

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-cli-'))
})
afterAll(async () => {
  await rm(cwd, { recursive: true })
})

/** A port on which nothing listens any more. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** The binary in an empty directory. */
const darkroom = (args: readonly string[], options: Partial<Parameters<typeof runDarkroom>[1]> = {}) =>
  runDarkroom(args, { cwd, ...options })

describe('help', () => {
  test('lists every command, aligned and without a control character', async () => {
    const { exitCode, stdout, stderr } = await darkroom([])
    expect([exitCode, stderr]).toEqual([0, ''])
    for (const name of ['serve', 'demo', 'providers-check', 'migrate', 'schema', 'help']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name.padEnd(15)} {3}\\S`, 'm'))
    }
    expect(stdout).not.toContain('\x1b')
  })

  test('explains each command, whichever way it is asked for', async () => {
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

  test('fits into a hundred columns', async () => {
    const pages = await Promise.all(
      ['serve', 'demo', 'providers-check', 'migrate', 'schema'].map((name) => darkroom(['help', name])),
    )
    const lines = pages.flatMap(({ stdout }) => stdout.split('\n'))
    expect(lines.length).toBeGreaterThan(40)
    expect(lines.filter((line) => line.length > 100)).toEqual([])
  })

  test('knows its version', async () => {
    expect(await darkroom(['--version'])).toEqual({
      exitCode: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    })
  })
})

describe('a command line that makes no sense ends with 64 and says what would', () => {
  test.each<[line: string, args: string[], says: string]>([
    ['an unknown command', ['srve'], 'There is no command "srve". Did you mean `serve`?'],
    ['a command far from all others', ['paint'], 'There is no command "paint".'],
    ['an unknown option of none', ['--verison'], 'There is no option "--verison".'],
    ['help for an unknown command', ['help', 'dem'], 'There is no command "dem". Did you mean `demo`?'],
    [
      'an unknown option',
      ['serve', '--prot', '1'],
      '`darkroom serve` has no option --prot. Did you mean `--port`?',
    ],
    ['a short option', ['serve', '-p'], '`darkroom serve` has no option -p.'],
    ['an option without its value', ['serve', '--port'], '--port needs a value: --port=<number>.'],
    ['a switch with a value', ['schema', '--check=yes'], '--check is a switch and takes no value.'],
    [
      'switches that exclude each other',
      ['schema', '--check', '--write'],
      '--write and --check exclude each other.',
    ],
    ['words where none belong', ['serve', 'now'], '`darkroom serve` takes no words, but got "now".'],
    ['no id', ['attempt'], '`darkroom attempt` takes one id, of an attempt or of a task.'],
    ['two ids', ['attempt', 'att_1', 'att_2'], '`darkroom attempt` takes one id'],
    ['a quality that does not exist', ['demo', '--quality', 'meduim'], 'Did you mean `medium`?'],
    ['a number out of range', ['demo', '--n', '11'], '--n is "11", but must be a whole number from 1 to 10.'],
    [
      'too many previews',
      ['demo', '--partials', '4'],
      '--partials is "4", but must be a whole number from 0 to 3.',
    ],
    [
      'an address that is none',
      ['demo', '--url', 'localhost'],
      '--url is "localhost", but must be the address of a server',
    ],
  ])('%s', async (_, args, says) => {
    const { exitCode, stdout, stderr } = await darkroom(args)
    expect([exitCode, stdout]).toEqual([64, ''])
    expect(stderr).toContain(says)
  })
})

describe('a configuration that cannot be used ends with 78', () => {
  test('and lists every problem', async () => {
    const env = { PORT: '99999', HOST: 'no host', DARKROOM_ADMIN_KEY: 'adm-secret-secret' }
    const { exitCode, stdout, stderr } = await darkroom(['serve'], { env })
    expect([exitCode, stdout]).toEqual([78, ''])
    expect(stderr).toContain('The configuration has 3 problems.')
    expect(stderr.match(/^ {2}× /gm)).toHaveLength(3)
    expect(stderr).not.toContain('adm-secret-secret')
  })

  test('for the demo and for migrate as well', async () => {
    const env = { LOG_LEVEL: 'loud' }
    const endings = await Promise.all([darkroom(['demo'], { env }), darkroom(['migrate'], { env })])
    expect(endings.map(({ exitCode }) => exitCode)).toEqual([78, 78])
  })

  test('and takes options before variables', async () => {
    const { stderr } = await darkroom(['serve', '--port', '70000'], { env: { PORT: '80000' } })
    expect(stderr).toContain('--port is "70000"')
  })
})

// A preload that makes this Node claim to be another one, as process.versions cannot be set.
const pretend = (version: string) => [
  '--import',
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
]

describe('the runtime', () => {
  test.each([
    ['20.20.2', BIN],
    ['23.11.1', BIN],
    ['23.11.1', SOURCE],
  ])('Node %s is refused in words by %s', async (version, bin) => {
    const { exitCode, stderr } = await darkroom(['--version'], { bin, node: pretend(version) })
    expect(exitCode).toBe(78)
    expect(stderr).toContain(`Darkroom needs Node.js 24 or newer, and this is Node.js ${version}: `)
  })

  test.each([
    ['24.0.0', BIN],
    ['26.0.0', SOURCE],
  ])('Node %s is welcome to %s', async (version, bin) => {
    expect(await darkroom(['--version'], { bin, node: pretend(version) })).toMatchObject({ exitCode: 0 })
  })
})

test('colours stay away from what is no terminal', async () => {
  await writeFile(join(cwd, 'bad.json'), '{"prot":1}')
  const { stderr } = await darkroom(['serve'], {
    env: { DARKROOM_CONFIG: 'bad.json', TERM: 'xterm-256color' },
  })
  expect(stderr).toContain('bad.json: prot is not a setting. Did you mean `port`?')
  expect(stderr).not.toContain('\x1b')
})

test('a server that is not there is one clear line', async () => {
  const port = await freePort()
  const { exitCode, stderr } = await darkroom(['demo', '--url', `http://127.0.0.1:${port}`])
  expect([exitCode, stderr]).toEqual([1, `Nothing answers at 127.0.0.1:${port}. Is the server running?\n`])
})
