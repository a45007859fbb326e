#!/usr/bin/env node
// Plain JavaScript that any Node since 12 can read: older ones cannot even load a .ts file, so they must be told here.
import process from 'node:process'

const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 15)) {
  // No top-level await: before Node 14.8 it is a syntax error.
  import('../src/cli.ts').catch((error) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  })
} else {
  process.stderr.write(
    `Darkroom needs Node 24.15 or newer; this is Node ${process.versions.node}.\n` +
      'In a clone, `npm start` and `npm run darkroom` bring their own.\n',
  )
  process.exitCode = 78
}
