import { defineConfig } from 'vitest/config'
import { limits, ssr } from './vitest.config.ts'

/** Tests that need programs from Debian: `apt-get install chromium nginx-light zsh fish`. `.ci/run` installs them. */
export default defineConfig({
  ssr,
  test: {
    ...limits,
    globalSetup: ['test/support/global-setup.ts'],
    include: ['test/debian/**/*.test.ts'],
    maxWorkers: 2,
    isolate: false,
  },
})
