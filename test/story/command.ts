// The scripts of package.json as child processes in a folder of their own, on the Node.js that runs the tests.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { expect } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { withCompileCache } from '../support/compile-cache.ts'

const SCRIPTS: Readonly<Record<string, string>> = manifest.scripts
const ROOT = resolve(import.meta.dirname, '../..')

export interface Running {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves to the exit code. */
  ended: Promise<unknown>
}

/**
 * Starts `npm run <script> -- <args>` without npm, as leader of a process group: of several commands the last one, as the
 * others only build. Its environment is `env` only.
 */
export function start(
  script: string,
  args: readonly string[],
  at: { cwd: string; env?: NodeJS.ProcessEnv },
): Running {
  const [node, file = '', ...words] = SCRIPTS[script]?.split(' && ').at(-1)?.split(' ') ?? []
  if (node !== 'node') throw new Error(`The script ${script} does not run node.`)
  const command = [resolve(ROOT, file), ...words, ...args]
  const child = spawn(process.execPath, command, { ...at, env: withCompileCache(at.env), detached: true })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]: unknown[]) => code)
  return { child, ended, stdout: () => stdout, stderr: () => stderr }
}

/** Whether any process of the group that `start` created is alive. */
export function isGroupAlive({ child }: Running): boolean {
  try {
    return process.kill(-(child.pid ?? 0), 0)
  } catch {
    return false
  }
}

/** `npm start` on a free port; the URL is read from its banner. */
export async function startServer(cwd: string): Promise<Running & { url: string }> {
  const server = start('start', ['--port', '0'], { cwd, env: { LOG_LEVEL: 'error' } })
  await expect.poll(() => server.stdout() + server.stderr()).toContain('Ctrl-C to stop')
  return { ...server, url: /http:\/\/127\.0\.0\.1:\d+/.exec(server.stdout())?.[0] ?? '' }
}
