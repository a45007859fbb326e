import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'
import { useMemory } from './test/support/temporary-folder.ts'

// Child processes start in two thirds of the CPU time. Node checks each entry against the source.
process.env['NODE_COMPILE_CACHE'] = join(import.meta.dirname, 'node_modules/.cache/compiled-tests')
// Of the compiler, when a test runs it: half of its CPU time is garbage collection otherwise.
process.env['GOGC'] ??= '400'
useMemory()

/** They measure the memory of their process, or set what a process has once. */
const ALONE = [
  'test/assets/inspect.test.ts',
  'test/http/hang-up.test.ts',
  'test/package/embedded.test.ts',
  'test/providers/receiving/receiving.test.ts',
  'test/telemetry/*.test.ts',
]

// graphql 17 has an export named `development`. Without this line Vite uses it, Pothos and Yoga use the other export, and
// graphql rejects the types of one in the other.
export const ssr: NonNullable<ViteUserConfig['ssr']> = { resolve: { conditions: ['node', 'module-sync'] } }

export const limits = {
  // For a hang only: what a test waits for may take long on a busy machine.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
  allowOnly: false,
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // Tests wait more than they compute: on two cores, four files at a time are faster than two.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      // Importing the gateway takes a second of CPU time, so the files of a worker share its modules.
      {
        ssr,
        test: {
          ...limits,
          name: 'shared',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, 'test/debian/**', '**/node_modules/**'],
        },
      },
      { ssr, test: { ...limits, name: 'alone', include: ALONE } },
    ],
  },
})
