// Generates the texts of the operations of client/ and dashboard/, and their types by schema.graphql. `--check` exits with 1
// if a file differs.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { printClientTypes } from './client-types/print.ts'

const ROOT = join(import.meta.dirname, '..')
/** Operations, and the file generated from them. */
const FILES = [
  ['client/operations.graphql', 'client/generated.ts'],
  ['dashboard/src/api/operations.graphql', 'dashboard/src/api/generated.ts'],
] as const

const schema = readFileSync(join(ROOT, 'schema.graphql'), 'utf8')
for (const [operations, file] of FILES) {
  const text = printClientTypes(schema, readFileSync(join(ROOT, operations), 'utf8'))
  if (!process.argv.includes('--check')) writeFileSync(join(ROOT, file), text)
  else if (readFileSync(join(ROOT, file), 'utf8') !== text) {
    process.stderr.write(`${file} is out of date. Run \`npm run schema\` to update it.\n`)
    process.exitCode = 1
  }
}
