import { z } from 'zod'
import type { Call, Dialect } from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'

const called = Promise.withResolvers<Call>()

/** Resolves to the first submitted call. */
export const onCall: Promise<Call> = called.promise

/** A provider whose call never ends, and whose progress is reported through `onCall`. */
export const manual: Dialect<{ concurrency: number }> = {
  options: z.object({ concurrency: z.int().default(1) }),
  fromEnvironment: () => undefined,
  create: (name, { concurrency }) => {
    const { offers } = sandbox.create(name, sandbox.options.parse({}))
    return {
      name,
      dialect: 'manual',
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
