import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/main.ts'
import { darkroomHere } from './in-process.ts'

const run = promisify(execFile)

async function scriptFor(shell: string): Promise<string> {
  const { exitCode, stdout } = await darkroomHere(['completion', shell], { cwd: process.cwd() })
  expect(exitCode).toBe(0)
  return stdout
}

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `${await scriptFor('bash')}
    COMP_WORDS=(darkroom ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
    compopt() { echo "compopt $*"; }
    _darkroom; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['--norc', '-c', script])
  return stdout.split('\n').filter((line) => line !== '')
}

describe.skipIf(process.platform === 'win32')('completion in bash', () => {
  it('offers every command', async () => {
    expect(await offered('')).toEqual([...COMMANDS.map(({ name }) => name), '--help', '--version'])
    expect(await offered('ta')).toEqual(['tasks', 'task'])
  })

  it.each<[words: string[], expected: string[]]>([
    [
      ['keys', ''],
      [
        '--project',
        '--name',
        '--scopes',
        '--expires',
        '--revoked',
        '--url',
        '--json',
        '--help',
        'create',
        'list',
        'revoke',
      ],
    ],
    [['keys', 'create', '--e'], ['--expires']],
    [['attempts', 're'], ['resolve']],
    [['demo', '--ur'], ['--url']],
    [['help', 'comp'], ['completion']],
    [['completion', 'f'], ['fish']],
    // The value of an option is not completed, except for a path.
    [['serve', '--port', ''], []],
    [['serve', '--data-dir', ''], ['compopt -o default']],
    [
      ['backup', ''],
      ['compopt -o default', '--json', '--help'],
    ],
  ])('offers the arguments and options of %s', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected)
  })
})

describe('a completion script', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s names every option of every command', async (shell) => {
    const script = await scriptFor(shell)
    const options = COMMANDS.flatMap(({ options: declared = {} }) =>
      Object.keys(declared).map((syntax) => syntax.split(' ')[0]?.slice(2) ?? ''),
    )
    expect(options.length).toBeGreaterThan(60)
    for (const option of options)
      expect(script).toContain(shell === 'fish' ? ` -l ${option} ` : `--${option}`)
    expect(script).not.toMatch(/undefined|\[object/)
  })

  it('is refused for an unknown shell', async () => {
    const { exitCode, stderr } = await darkroomHere(['completion', 'tcsh'], { cwd: process.cwd() })
    expect([exitCode, stderr.split('\n')[0]]).toEqual([
      64,
      '`darkroom completion` takes one of: bash, zsh, fish.',
    ])
  })
})
