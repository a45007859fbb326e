// Generates client/generated.ts: the texts of the operations in client/operations.graphql, and their types by
// schema.graphql. `--check` exits with 1 if the file differs.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { printClientTypes } from './client-types/print.ts'

const ROOT = join(import.meta.dirname, '..')
const FILE = 'client/generated.ts'

const text = printClientTypes(
  readFileSync(join(ROOT, 'schema.graphql'), 'utf8'),
  readFileSync(join(ROOT, 'client/operations.graphql'), 'utf8'),
)
if (!process.argv.includes('--check')) writeFileSync(join(ROOT, FILE), text)
else if (readFileSync(join(ROOT, FILE), 'utf8') !== text) {
  process.stderr.write(`${FILE} is out of date. Run \`npm run schema\` to update it.\n`)
  process.exitCode = 1
}
