import { defineConfig } from 'vitest/config'
import { limits, ssr } from './vitest.config.ts'

/** `npm run swift`: the asset store against a real store. test/support/swift-server.ts says what to install. */
export default defineConfig({ ssr, test: { ...limits, include: ['test/assets/s3/swift.check.ts'] } })
