// From the words on the command line to a command, and from what it threw to a line a person can act on.
import process from 'node:process'
import manifest from '../../package.json' with { type: 'json' }
import { ConfigError } from '../config/error.ts'
import { didYouMean } from '../config/nearest.ts'
import { readArguments } from './arguments.ts'
import { attempt } from './attempt.ts'
import { backup } from './backup.ts'
import type { Command, Surroundings } from './command.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { EXIT, UsageError } from './exit.ts'
import { explain } from './explain.ts'
import { commandHelp, overview } from './help.ts'
import { budgets } from './budgets.ts'
import { keys } from './keys.ts'
import { migrate } from './migrate.ts'
import { projects } from './projects.ts'
import { schema } from './schema.ts'
import { providersCheck } from './providers-check.ts'
import { openScreen } from './screen.ts'
import { serve } from './serve.ts'
import { usage } from './usage.ts'

const help: Command = {
  name: 'help',
  summary: 'Explain a command',
  usage: '[command]',
  takesWords: true,
  options: [],
  notes: [],
  examples: ['darkroom help demo'],
  run: async ({ words }, { out }) => {
    const text =
      words[0] === undefined
        ? overview(COMMANDS, manifest.version, out.paint)
        : commandHelp(find(words[0]), out.paint)
    out.write(text)
    return EXIT.ok
  },
}

const COMMANDS: readonly Command[] = [
  serve,
  demo,
  keys,
  projects,
  budgets,
  providersCheck,
  doctor,
  attempt,
  usage,
  backup,
  migrate,
  schema,
  help,
]

/** Runs one command line in this process and resolves to its exit code; never rejects. */
export async function run(args: readonly string[]): Promise<number> {
  const { env } = process
  const around = {
    out: openScreen(process.stdout, env),
    err: openScreen(process.stderr, env),
    env,
    cwd: process.cwd(),
  }
  process.stdout.on('error', leaveWithTheReader)
  try {
    return await dispatch(args, around)
  } catch (error) {
    return report(error, args, around)
  }
}

async function dispatch([name, ...rest]: readonly string[], around: Surroundings): Promise<number> {
  if (name === '--version') {
    around.out.write(`${manifest.version}\n`)
    return EXIT.ok
  }
  if (name === undefined || isHelp(name)) return help.run(readArguments(help, rest), around)
  const command = find(name)
  const end = rest.indexOf('--')
  const wantsHelp = rest.slice(0, end === -1 ? rest.length : end).some(isHelp)
  const [chosen, words] = wantsHelp ? [help, [name]] : [command, rest]
  return chosen.run(readArguments(chosen, words), around)
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h'
}

function find(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name)
  if (found) return found
  const hint = didYouMean(
    name,
    COMMANDS.map((command) => command.name),
  )
  throw new UsageError(`There is no ${name.startsWith('-') ? 'option' : 'command'} "${name}".${hint}`)
}

function report(error: unknown, [name]: readonly string[], { err, env }: Surroundings): number {
  if (error instanceof UsageError) {
    const called = COMMANDS.find((command) => command.name === name && command !== help)
    const more = called ? `darkroom help ${called.name}` : 'darkroom help'
    err.write(`${err.paint('red', error.message)}\nSee \`${more}\`.\n`)
    return EXIT.usage
  }
  if (error instanceof ConfigError) {
    const problems = error.problems.map((problem) => `  ${err.paint('red', '×')} ${problem}\n`)
    err.write(
      `\n${err.paint('bold', error.message)}\n\n${problems.join('')}\nEvery setting: \`darkroom help serve\`.\n\n`,
    )
    return EXIT.config
  }
  err.write(`${err.paint('red', explain(error))}\n`)
  if (env['LOG_LEVEL'] === 'debug' && error instanceof Error) err.write(`${error.stack}\n`)
  return error instanceof Error && MENDED_BY_OPERATORS.has(error.name) ? EXIT.config : EXIT.failed
}

/** Starting again would end the same until somebody has done something about it. Named, so that help loads no database. */
const MENDED_BY_OPERATORS: ReadonlySet<string> = new Set(['FolderInUse', 'DatabaseDamaged', 'DatabaseNewer'])

/** `darkroom … | head` closes the pipe early; whoever reads has seen enough. */
function leaveWithTheReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
}
