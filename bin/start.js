'use strict'

const { existsSync } = require('node:fs')
const { join } = require('node:path')

// A clone runs its sources, a package what was built from them: Node strips no types below node_modules.
const isClone = existsSync(join(__dirname, '../src/cli.ts'))
const isBuilt = existsSync(join(__dirname, '../dist/cli.js'))

if (isClone || isBuilt) {
  const loading = isClone ? import('../src/cli.ts') : import('../dist/cli.js')
  loading.catch(function fail(error) {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  })
} else {
  process.stderr.write(
    'This package was packed without its build. In the clone, pack it with `npm run package`.\n',
  )
  process.exitCode = 1
}
