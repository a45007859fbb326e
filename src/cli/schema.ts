import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Arguments, Command, Surroundings } from './command.ts'
import { EXIT, UsageError } from './exit.ts'

const FILE = 'schema.graphql'

/** `darkroom schema`. */
export const schema: Command = {
  name: 'schema',
  summary: 'Print the GraphQL schema, or keep schema.graphql current',
  usage: '[--write | --check]',
  takesWords: false,
  options: [
    { name: 'write', value: null, about: `write it to ./${FILE}` },
    { name: 'check', value: null, about: `exit 1 when ./${FILE} differs from it, byte for byte` },
  ],
  notes: [],
  examples: ['darkroom schema', 'darkroom schema --write'],
  run: runSchema,
}

async function runSchema({ switches }: Arguments, { cwd, out, err }: Surroundings): Promise<number> {
  const [wish, second] = [...switches]
  if (second !== undefined) throw new UsageError('--write and --check exclude each other.')
  const printed = await printCurrent()
  const file = join(cwd, FILE)
  if (wish === undefined) {
    out.write(printed)
    return EXIT.ok
  }
  if (wish === 'write') {
    await writeFile(file, printed)
    out.write(`Wrote ${FILE}.\n`)
    return EXIT.ok
  }
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept === printed) {
    out.write(`${FILE} is current.\n`)
    return EXIT.ok
  }
  err.write(
    `${FILE} ${kept === undefined ? 'is missing' : 'differs from the schema'}. Run \`npm run schema\` to update it.\n`,
  )
  return EXIT.failed
}

async function printCurrent(): Promise<string> {
  const { lexicographicSortSchema, printSchema } = await import('graphql')
  const current = await import('../schema/index.ts')
  return `${printSchema(lexicographicSortSchema(current.schema))}\n`
}
