import type { Environment } from '../config/environment.ts'
import type { Screen } from './screen.ts'

export interface CommandContext {
  out: Screen
  err: Screen
  env: Environment
  cwd: string
}

/** Its help and arguments derive from these properties. */
export interface Command {
  name: string
  summary: string
  usage?: string
  takesPositionals?: boolean
  /** By syntax: `--port <number>` takes a value, `--json` is a flag. */
  options?: Readonly<Record<string, string>>
  /** Further sections of the help, by title and term. */
  notes?: Readonly<Record<string, Readonly<Record<string, string>>>>
  examples: readonly string[]
  /**
   * Resolves to the exit code. Imports the server dynamically: help does not need it. Throws UsageError,
   * ConfigError and others.
   */
  run(input: Arguments, context: CommandContext): Promise<number>
}

/** Parsed, not validated. */
export interface Arguments {
  positionals: readonly string[]
  values: Readonly<Record<string, string>>
  flags: ReadonlySet<string>
}

/** 64, 75 and 78: EX_USAGE, EX_TEMPFAIL and EX_CONFIG of sysexits.h; 130: 128 + SIGINT. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 64,
  callsAborted: 75,
  config: 78,
  interrupted: 130,
} as const

/** The message names the rule or the remedy. */
export class UsageError extends Error {
  override name = 'UsageError'
}
