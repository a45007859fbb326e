import process from 'node:process'
import { systemClock } from '../../clock.ts'
import type { Environment } from '../../config/environment.ts'

const CHECK_INTERVAL_MS = 500

// Read when this module loads: the shell may end while the server starts.
const parent = process.ppid

/**
 * Resolves when the shell that runs this npm script has ended. npm sends SIGTERM to the shell only
 * (https://github.com/npm/run-script, signal-manager.js), and a shell such as dash does not forward it. Never resolves
 * outside of npm, where a daemon may outlive its parent.
 */
export async function npmShellEnded(env: Environment, signal: AbortSignal): Promise<void> {
  while (env['npm_lifecycle_event'] !== undefined && !signal.aborted) {
    await systemClock.sleep(CHECK_INTERVAL_MS, signal)
    if (process.ppid !== parent) return
  }
  await new Promise<never>(() => {})
}
