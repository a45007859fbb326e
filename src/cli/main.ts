import process from 'node:process'
import manifest from '../../package.json' with { type: 'json' }
import { ConfigError } from '../config/error.ts'
import { didYouMean } from '../nearest.ts'
import { attempt } from './attempt.ts'
import { attempts } from './attempts.ts'
import { backup } from './backup.ts'
import { bills } from './bills.ts'
import { budgets } from './budgets.ts'
import { cancel } from './cancel.ts'
import { EXIT, UsageError, type Command, type CommandContext } from './command.ts'
import { createCompletion } from './completion.ts'
import { dataFolders } from './data-folders.ts'
import { demo } from './demo.ts'
import { assets } from './assets.ts'
import { doctor } from './doctor.ts'
import { formatError } from './format.ts'
import { keys } from './keys.ts'
import { parseArguments } from './main/arguments.ts'
import { commandHelp, overview } from './main/help.ts'
import { missingSeparator, programName } from './main/npm.ts'
import { mcp } from './mcp.ts'
import { migrate } from './migrate.ts'
import { models } from './models.ts'
import { open } from './open.ts'
import { projects } from './projects.ts'
import { providersCheck } from './providers-check.ts'
import { schema } from './schema.ts'
import { openScreen } from './screen.ts'
import { serve } from './serve.ts'
import { task } from './task.ts'
import { tasks } from './tasks.ts'
import { usage } from './usage.ts'

const help: Command = {
  name: 'help',
  summary: 'Show help for a command',
  usage: '[command]',
  takesPositionals: true,
  examples: ['darkroom help demo'],
  run: async ({ positionals: [name] }, { out }) => {
    out.write(
      name === undefined
        ? overview(COMMANDS, manifest.version, out.paint)
        : commandHelp(getCommand(name), out.paint),
    )
    return EXIT.ok
  },
}

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [
  serve,
  mcp,
  demo,
  tasks,
  task,
  cancel,
  open,
  keys,
  projects,
  budgets,
  usage,
  attempt,
  attempts,
  bills,
  dataFolders,
  assets,
  doctor,
  models,
  providersCheck,
  backup,
  migrate,
  schema,
  createCompletion(() => COMMANDS),
  help,
]

/** Resolves to the exit code; never rejects. */
export async function run(args: readonly string[]): Promise<number> {
  const { env } = process
  process.stdout.on('error', exitWithoutReader)
  return runIn(args, {
    out: openScreen(process.stdout, env),
    err: openScreen(process.stderr, env),
    env,
    cwd: process.cwd(),
  })
}

/** With other screens and another environment. */
export async function runIn(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(args, context)
  } catch (error) {
    return report(error, args, context)
  }
}

async function dispatch([name, ...rest]: readonly string[], context: CommandContext): Promise<number> {
  if (name === '--version') {
    context.out.write(`${manifest.version}\n`)
    return EXIT.ok
  }
  if (name === undefined || isHelp(name)) return help.run(parseArguments(help, rest), context)
  const command = getCommand(name)
  const end = rest.indexOf('--')
  if (rest.slice(0, end === -1 ? rest.length : end).some(isHelp))
    return help.run(parseArguments(help, [name]), context)
  const input = parseArguments(command, rest)
  const hint = missingSeparator(command, input, context.env)
  if (input.positionals.length > 0 && !command.takesPositionals)
    throw new UsageError(
      `\`darkroom ${name}\` takes options only, but got "${input.positionals.join(' ')}".${hint ? ` ${hint}` : ''}`,
    )
  if (hint) throw new UsageError(hint)
  return command.run(input, context)
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h'
}

function getCommand(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name)
  if (command) return command
  const kind = name.startsWith('-') ? 'option' : 'command'
  const names = COMMANDS.map((one) => one.name)
  throw new UsageError(`There is no ${kind} "${name}".${didYouMean(name, names)}`)
}

function report(error: unknown, [name]: readonly string[], { err, env }: CommandContext): number {
  const program = programName(env)
  if (error instanceof UsageError) {
    const isKnown = COMMANDS.some((command) => command.name === name && command !== help)
    err.write(`${err.paint('red', error.message)}\nSee \`${program} help${isKnown ? ` ${name}` : ''}\`.\n`)
    return EXIT.usage
  }
  if (error instanceof ConfigError) {
    const problems = error.problems.map((problem) => `  ${err.paint('red', '×')} ${problem}\n`).join('')
    err.write(
      `\n${err.paint('bold', error.message)}\n\n${problems}\nFor all settings, see \`${program} help serve\`.\n\n`,
    )
    return EXIT.config
  }
  err.write(`${err.paint('red', formatError(error))}\n`)
  if (env['LOG_LEVEL'] === 'debug' && error instanceof Error) err.write(`${error.stack}\n`)
  return error instanceof Error && OPERATOR_ERRORS.has(error.name) ? EXIT.config : EXIT.failed
}

/** Database errors that no restart solves. By name: help does not load the database. */
const OPERATOR_ERRORS: ReadonlySet<string> = new Set([
  'FolderInUse',
  'DatabaseDamaged',
  'DatabaseNewer',
  'S3Error',
])

/** Readers such as `head` close the pipe early. */
function exitWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
  throw error
}
