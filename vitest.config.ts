import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Child processes start in two thirds of the CPU time. Node checks each entry against the source.
process.env['NODE_COMPILE_CACHE'] = join(import.meta.dirname, 'node_modules/.cache/compiled-tests')

export default defineConfig({
  // graphql 17 has an export named `development`. Without this line Vite uses it, Pothos and Yoga use the other export, and
  // graphql rejects the types of one in the other.
  ssr: { resolve: { conditions: ['node', 'module-sync'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Tests wait more than they compute: on two cores, three files at a time are faster than two.
    maxWorkers: 3,
    // For a hang only: what a test waits for may take long on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    allowOnly: false,
  },
})
