#!/usr/bin/env node
// Checks only the runtime: on an older one, native modules crash before any later line runs.
import process from 'node:process'

if (Number.parseInt(process.versions.node, 10) >= 24) {
  const { run } = await import('./cli/main.ts')
  process.exitCode = await run(process.argv.slice(2))
} else {
  console.error(
    `Darkroom needs Node.js 24 or newer, and this is Node.js ${process.versions.node}: in a clone, run ` +
      '`npm start` or `npm run darkroom`, which use the one that `npm ci` installed.',
  )
  process.exitCode = 78
}
