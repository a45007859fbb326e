'use strict'

const { existsSync } = require('node:fs')
const { join } = require('node:path')

// A clone runs its sources, a package what was built from them: Node strips no types below node_modules.
const isClone = existsSync(join(__dirname, '../src/cli.ts'))

const loaded = isClone ? import('../src/cli.ts') : import('../dist/cli.js')
loaded.catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
  process.exitCode = 1
})
