import process from 'node:process'
import { systemClock } from '../clock.ts'
import type { Environment } from '../config/environment.ts'

const LOOK_EVERY_MS = 500

// Read when this module loads: the shell may end while the server starts.
const parent = process.ppid

/**
 * Resolves when this process runs as an npm script and the shell that started it has ended. npm forwards SIGTERM to that
 * shell alone (https://github.com/npm/run-script, signal-manager.js), and a shell such as dash ends without forwarding it.
 * Outside of npm it never resolves, because a daemon may outlive its parent. Stops looking when `over` aborts.
 */
export async function npmShellEnded(env: Environment, over: AbortSignal): Promise<void> {
  while (env['npm_lifecycle_event'] !== undefined && !over.aborted) {
    await systemClock.sleep(LOOK_EVERY_MS, over)
    if (process.ppid !== parent) return
  }
  await new Promise<never>(() => {})
}
