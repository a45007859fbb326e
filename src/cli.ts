#!/usr/bin/env node
// Checks the runtime and nothing else: on an older one, native modules further down crash before any line of ours runs.
import process from 'node:process'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 15)) {
  const { run } = await import('./cli/main.ts')
  process.exitCode = await run(process.argv.slice(2))
} else {
  console.error(
    `Darkroom needs Node 24.15 or newer; this is Node ${process.versions.node}.\n` +
      'In a clone, `npm start` and `npm run darkroom` bring their own.',
  )
  process.exitCode = 78
}
