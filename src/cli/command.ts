import type { Environment } from '../config/environment.ts'
import type { Screen } from './screen.ts'

/** What a command has of the world around it. */
export interface Surroundings {
  out: Screen
  err: Screen
  env: Environment
  cwd: string
}

/** One `darkroom <name>`. The help text and the parsing are made from the same lines. */
export interface Command {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** What follows the name in the usage line. */
  usage: string
  /** Whether words without dashes are taken. */
  takesWords: boolean
  options: readonly Option[]
  /** Further parts of the help, each a title and two columns. */
  notes: readonly Note[]
  examples: readonly string[]
  /** Resolves to the exit code. Throws UsageError, ConfigError, or whatever went wrong. */
  run(input: Arguments, around: Surroundings): Promise<number>
}

interface Option {
  /** Without the dashes. */
  name: string
  /** What its value is called in the help; null for a switch. */
  value: string | null
  about: string
}

interface Note {
  title: string
  lines: readonly (readonly [string, string])[]
}

/** A command line, split and checked for unknown names, its values still texts. */
export interface Arguments {
  words: readonly string[]
  values: Readonly<Record<string, string>>
  switches: ReadonlySet<string>
}
