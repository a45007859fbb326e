import { z } from 'zod'
import type { Call, Dialect } from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'

const called = Promise.withResolvers<Call>()

/** The call that the bench may make progress on, once it has been submitted. */
export const onCall: Promise<Call> = called.promise

/** A provider that never answers, and whose progress is made by whoever has `onCall`. */
export const metronome: Dialect<{ concurrency: number }> = {
  options: z.object({ concurrency: z.int().default(1) }),
  fromEnvironment: () => undefined,
  create: (name, { concurrency }) => {
    const { offers } = sandbox.create(name, sandbox.options.parse({}))
    return {
      name,
      dialect: 'metronome',
      traits: { modes: ['SYNC'] as const, recovery: 'NONE' as const, failureCharge: 'UNKNOWN' as const },
      offers,
      concurrency,
      timeoutMs: 3_600_000,
      submit(_order, call) {
        call.onWire('DISPATCHED')
        called.resolve(call)
        return new Promise((_, reject) => {
          call.signal.addEventListener('abort', () => reject(new Error('stopped')))
        })
      },
      async close() {},
    }
  },
}
