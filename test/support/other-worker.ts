import { setTimeout as pause } from 'node:timers/promises'
import { recoverAbandoned } from '../../src/engine/maintenance/recover.ts'
import { openEngine, type TestEngine, type TestEngineOptions } from './engine.ts'

/** An engine beside another worker, which recovers attempts whose lease expired, those of the engine included. */
export async function openBesideOther(options: TestEngineOptions): Promise<TestEngine> {
  const one = await openEngine(options)
  const stop = new AbortController()
  const recovering = recoverRepeatedly(one, stop.signal)
  return {
    ...one,
    async close(how) {
      stop.abort()
      await recovering
      await one.close(how)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await recovering
      await one[Symbol.asyncDispose]()
    },
  }
}

async function recoverRepeatedly({ deps }: TestEngine, stop: AbortSignal): Promise<void> {
  const scope = { all: false, isHeld: () => false, reported: new Set<string>() }
  while (!stop.aborted) {
    await recoverAbandoned(deps, scope, stop)
    await pause(30)
  }
}
