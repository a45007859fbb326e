import { defineConfig } from 'vitest/config'

export default defineConfig({
  // graphql 17 has a `development` export; without this line Vite takes that one while Pothos and Yoga take the
  // other, and the two refuse each other's types ("another module or realm").
  ssr: { resolve: { conditions: ['node', 'module-sync'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgresql.ts'],
    // Many tests wait for something; on two cores, two files at a time take half as long.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A condition may take longer on a busy machine; a test about elapsed time states its own bound.
    expect: { poll: { timeout: 5000 } },
    allowOnly: false,
  },
})
