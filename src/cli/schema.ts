import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'

const FILE = 'schema.graphql'

export const schema: Command = {
  name: 'schema',
  summary: `Print the GraphQL schema, or update ${FILE}`,
  usage: '[--write | --check]',
  options: {
    '--write': `Write the schema to ./${FILE}`,
    '--check': `Exit with 1 if ./${FILE} differs from the schema`,
  },
  examples: ['darkroom schema', 'darkroom schema --write'],
  run: runSchema,
}

async function runSchema({ flags }: Arguments, { cwd, out, err }: CommandContext): Promise<number> {
  if (flags.size > 1) throw new UsageError('Pass either --write or --check.')
  const { lexicographicSortSchema, printSchema } = await import('graphql')
  const current = await import('../schema/index.ts')
  const text = `${printSchema(lexicographicSortSchema(current.schema))}\n`
  const path = join(cwd, FILE)
  if (flags.has('write')) {
    await writeFile(path, text)
    out.write(`Wrote ${FILE}.\n`)
  } else if (flags.has('check')) {
    const stored = await readFile(path, 'utf8').catch(() => undefined)
    if (stored !== text) {
      const problem = stored === undefined ? 'is missing' : 'is out of date'
      err.write(`${FILE} ${problem}. Run \`npm run schema\` to update it.\n`)
      return EXIT.failed
    }
    out.write(`${FILE} is up to date.\n`)
  } else out.write(text)
  return EXIT.ok
}
