// Runs npm and other programs in a folder.
import { spawn } from 'node:child_process'

export interface ExitResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs npm. Fails with what it printed. */
export async function npm(args: readonly string[], cwd: string): Promise<ExitResult> {
  const result = await run('npm', args, { cwd, env: withoutNpm(process.env) })
  if (result.code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${result.code}: ${result.stderr}`)
  return result
}

/** Removes the variables that `npm test` sets for this repository, which npm must not read in another folder. */
export function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !REPOSITORY_VARIABLES.test(name)))
}

const REPOSITORY_VARIABLES =
  /^npm_(?:package|lifecycle)_|^npm_config_(?:(?:local|global)_prefix|prefix|ignore_scripts)$/

/** Runs a program and resolves when it exits. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<ExitResult> {
  // On Windows npm is a script that requires a shell.
  const shell = process.platform === 'win32' && !command.endsWith('.exe')
  const child = spawn(command, args, { ...options, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve: end, reject } = Promise.withResolvers<ExitResult>()
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.once('error', reject).once('close', (code) => end({ code, stdout, stderr }))
  return promise
}
