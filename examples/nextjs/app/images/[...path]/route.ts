import type { Gateway } from 'darkroom'

// Not bundled: the package loads native modules and its own migrations. `serverExternalPackages` would also exclude
// darkroom/react, whose hooks then find another React than that of Next.js.
const { createGateway } = await import(/* turbopackIgnore: true */ /* webpackIgnore: true */ 'darkroom')

// Next.js evaluates a module again after each change, and SQLite belongs to one gateway at a time.
const cache = globalThis as { darkroom?: Gateway }
const gateway = (cache.darkroom ??= createGateway({
  publicUrl: 'http://localhost:3000/images',
  dataDir: process.env.DATA_DIR ?? './data',
  // For this machine only: see docs/install.md.
  allowAnonymous: true,
}))

export const { GET, POST } = { GET: gateway.fetch, POST: gateway.fetch }
