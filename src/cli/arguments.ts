import { parseArgs } from 'node:util'
import { didYouMean } from '../config/nearest.ts'
import type { Arguments, Command } from './command.ts'
import { UsageError } from './exit.ts'

/** Splits what follows the command's name. Throws UsageError naming the nearest option when one does not exist. */
export function readArguments(command: Command, args: readonly string[]): Arguments {
  const options = Object.fromEntries(
    command.options.map(({ name, value }) => [
      name,
      { type: value === null ? 'boolean' : 'string' } as const,
    ]),
  )
  // Not strict: its own messages cannot name the nearest option.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const words: string[] = []
  const values: Record<string, string> = {}
  const switches = new Set<string>()
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const value = valueOf(token, command)
    if (value === null) switches.add(token.name)
    else values[token.name] = value
  }
  if (words.length > 0 && !command.takesWords) {
    throw new UsageError(`\`darkroom ${command.name}\` takes no words, but got "${words.join(' ')}".`)
  }
  return { words, values, switches }
}

/** The value of an option; null for a switch. */
function valueOf(
  token: { name: string; rawName: string; value?: string | undefined },
  command: Command,
): string | null {
  const option = command.options.find(({ name }) => name === token.name)
  if (option === undefined || !token.rawName.startsWith('--')) {
    const hint = didYouMean(
      token.rawName,
      command.options.map(({ name }) => `--${name}`),
    )
    throw new UsageError(`\`darkroom ${command.name}\` has no option ${token.rawName}.${hint}`)
  }
  if (option.value === null && token.value !== undefined) {
    throw new UsageError(`--${option.name} is a switch and takes no value.`)
  }
  if (option.value !== null && token.value === undefined) {
    throw new UsageError(`--${option.name} needs a value: --${option.name}=${option.value}.`)
  }
  return token.value ?? null
}
