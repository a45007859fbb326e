import { parseArgs } from 'node:util'
import { didYouMean } from '../../nearest.ts'
import { UsageError, type Arguments, type Command } from '../command.ts'

export interface Option {
  name: string
  /** Placeholder; undefined for a flag. */
  value: string | undefined
}

export function optionsOf({ options = {} }: Command): Option[] {
  return Object.keys(options).map((syntax) => {
    const [flag = '', value] = syntax.split(' ')
    return { name: flag.slice(2), value }
  })
}

/** Throws UsageError for an unknown option or a missing value. */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const options = optionsOf(command)
  const types = options.map(({ name, value }) => [name, { type: value ? 'string' : 'boolean' } as const])
  // Strict parsing cannot suggest an option.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
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
    const { rawName, value } = token
    const option = options.find(({ name }) => `--${name}` === rawName)
    if (option === undefined) {
      const known = options.map(({ name }) => `--${name}`)
      throw new UsageError(
        `\`darkroom ${command.name}\` has no option ${rawName}.${didYouMean(rawName, known)}`,
      )
    }
    if (option.value === undefined && value !== undefined) throw new UsageError(`${rawName} takes no value.`)
    if (option.value !== undefined && value === undefined)
      throw new UsageError(`${rawName} needs a value: ${rawName}=${option.value}.`)
    if (value === undefined) flags.add(option.name)
    else values[option.name] = value
  }
  return { positionals, values, flags }
}
