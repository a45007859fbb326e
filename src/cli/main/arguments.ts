import { parseArgs } from 'node:util'
import { didYouMean } from '../../config/nearest.ts'
import { UsageError, type Arguments, type Command } from '../command.ts'

/** Parses the arguments after the command name. Throws UsageError for an unknown option or a missing value. */
export function parseArguments({ name, options = [] }: Command, args: readonly string[]): Arguments {
  // Not strict: its messages cannot suggest an option.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      options.map((option) => [option.name, { type: option.value === null ? 'boolean' : 'string' } as const]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const positionals: string[] = []
  const values: Record<string, string> = {}
  const flags = new Set<string>()
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.find((one) => `--${one.name}` === token.rawName)
    if (option === undefined) {
      const known = options.map((one) => `--${one.name}`)
      throw new UsageError(
        `\`darkroom ${name}\` has no option ${token.rawName}.${didYouMean(token.rawName, known)}`,
      )
    }
    if (option.value === null && token.value !== undefined)
      throw new UsageError(`--${option.name} takes no value.`)
    if (option.value !== null && token.value === undefined)
      throw new UsageError(`--${option.name} needs a value: --${option.name}=${option.value}.`)
    if (token.value === undefined) flags.add(option.name)
    else values[option.name] = token.value
  }
  return { positionals, values, flags }
}
