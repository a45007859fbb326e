// The completion scripts in zsh and fish.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { darkroomHere } from '../cli/in-process.ts'

const run = promisify(execFile)

async function scriptFile(shell: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-completion-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  const { stdout } = await darkroomHere(['completion', shell], { cwd })
  const file = join(cwd, `darkroom.${shell}`)
  await writeFile(file, stdout)
  return file
}

it('fish offers commands, verbs, options and files', async () => {
  const file = await scriptFile('fish')
  const offered = async (line: string) => {
    const { stdout } = await run('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`])
    return stdout.trim().split('\n')
  }
  expect(await offered('darkroom ta')).toEqual([
    'task\tShow a task, or watch it until it ends',
    'tasks\tList tasks, newest first',
  ])
  expect(await offered('darkroom keys ')).toEqual(['create', 'list', 'revoke'])
  expect(await offered('darkroom keys create --exp')).toEqual([expect.stringMatching(/^--expires\t/)])
  expect(await offered('darkroom help comp')).toEqual(['completion'])
  expect(await offered('darkroom backup pack')).toEqual(expect.arrayContaining(['package.json']))
})

it('zsh completes a verb and an option', async () => {
  const file = await scriptFile('zsh')
  // A pseudo-terminal with an interactive shell: the line editor completes on Tab.
  const script = `
    zmodload zsh/zpty
    zpty -b shell zsh -f -i
    zpty -w shell 'autoload -Uz compinit; compinit -u -D; source ${file}; print rea''dy'
    until [[ $seen == *ready* ]]; do zpty -r -t shell line && seen+=$line || sleep 0.05; done
    zpty -w -n shell $'darkroom keys cr\\t --exp\\t'
    repeat 200; do zpty -r -t shell line && out+=$line; [[ $out == *expires* ]] && break; sleep 0.05; done
    print -r -- $out`
  const { stdout } = await run('zsh', ['-f', '-c', script])
  expect(stdout).toContain('keys create')
  expect(stdout).toContain('--expires')
})
