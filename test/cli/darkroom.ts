import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { withCompileCache } from '../support/compile-cache.ts'
import { entryOf } from '../support/entry.ts'

export const BIN = resolve('bin/darkroom.js')

/** What the binary loads, in a bundle. */
export const PROGRAM = entryOf(resolve('src/cli.ts'))

export interface Ending {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** Runs the program, or `bin`, with this Node, in `cwd`, with the environment `env` only. */
export function darkroom(
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; bin?: string; node?: readonly string[] },
): Promise<Ending> {
  const command = [...(options.node ?? []), options.bin ?? PROGRAM, ...args]
  const child = spawn(process.execPath, command, {
    cwd: options.cwd,
    env: withCompileCache(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { promise, resolve: end, reject } = Promise.withResolvers<Ending>()
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.once('error', reject).once('close', (exitCode) => end({ exitCode, stdout, stderr }))
  return promise
}
