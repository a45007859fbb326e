import type { Command } from '../command.ts'
import { optionsOf } from '../main/arguments.ts'

export interface CompletedOption {
  /** With its dashes. */
  name: string
  summary: string
  /** Placeholder such as `number`; undefined for a flag. */
  value: string | undefined
  takesPath: boolean
}

export interface Completions {
  name: string
  summary: string
  /** For the first argument, such as `create`. */
  words: readonly string[]
  takesFiles: boolean
  options: readonly CompletedOption[]
}

export function completionsOf(commands: readonly Command[]): Completions[] {
  return commands.map((command) => ({
    name: command.name,
    summary: command.summary,
    words: wordsOf(command, commands),
    takesFiles: /<file/.test(command.usage ?? ''),
    options: optionsIn(command),
  }))
}

/** The usage `create | list | revoke <id>` has alternatives; `[prompt]` is a placeholder. */
function wordsOf({ usage = '' }: Command, commands: readonly Command[]): string[] {
  if (usage === '[command]') return commands.map(({ name }) => name)
  if (!usage.includes(' | ')) return []
  const first = usage.split(' | ').map((part) => /^\[?([a-z][a-z-]*)\]?(?: |$)/.exec(part)?.[1])
  return first.filter((word) => word !== undefined)
}

function optionsIn(command: Command): CompletedOption[] {
  const summaries = Object.values(command.options ?? {})
  return optionsOf(command).map(({ name, value }, nth) => ({
    name: `--${name}`,
    summary: summaries[nth] ?? '',
    value: value?.replace(/[<>]/g, ''),
    takesPath: /^<(?:dir|path|file)/.test(value ?? ''),
  }))
}
