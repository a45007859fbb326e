import type { Environment } from '../../config/environment.ts'
import type { Arguments, Command } from '../command.ts'
import { optionsOf, type Option } from './arguments.ts'

export function programName(env: Environment): string {
  if (env['npm_command'] === 'exec') return 'npx darkroom'
  return env['npm_package_name'] === 'darkroom' && isScript(env) ? 'npm run darkroom' : 'darkroom'
}

/**
 * Explains a missing `--`: npm keeps options before it, but passes their values on.
 * `npm run darkroom usage --by day` arrives as `usage day` with `npm_config_by=true`. Undefined if nothing was kept.
 */
export function missingSeparator(
  command: Command,
  { positionals }: Arguments,
  env: Environment,
): string | undefined {
  const script = env['npm_lifecycle_script'] ?? ''
  const hasCommand = script.endsWith(` ${command.name}`)
  // npm appends arguments to the last command of a script.
  if (!isScript(env) || !(hasCommand || /(?:cli\.ts|darkroom)$/.test(script))) return undefined
  const kept = optionsOf(command).flatMap((option) => {
    const value = keptValue(option, env)
    return value === undefined ? [] : [{ option, value }]
  })
  const isMisplaced = positionals.length > 0 && !command.takesPositionals
  if (kept.length === 0 && !isMisplaced) return undefined
  const options = kept.map(({ option, value }) => {
    if (option.value === undefined) return `--${option.name}`
    const isPair = isMisplaced && positionals.length === 1 && kept.length === 1
    return `--${option.name} ${value === 'true' ? (isPair ? positionals[0] : option.value) : value}`
  })
  const line = [
    env['npm_command'] === 'start' ? 'npm start' : `npm run ${env['npm_lifecycle_event']}`,
    '--',
    ...(hasCommand ? [] : [command.name]),
    ...(command.takesPositionals ? ['…'] : []),
    ...(options.length > 0 ? options : ['[options]']),
  ].join(' ')
  return `npm passes options on only after \`--\`. Use:\n  ${line}`
}

function isScript({ npm_command: command = '' }: Environment): boolean {
  return ['run', 'run-script', 'start'].includes(command)
}

/** Of an option that npm kept: `true` if passed on as a separate argument. */
function keptValue({ name }: Option, env: Environment): string | undefined {
  const key = `npm_config_${name.replaceAll('-', '_')}`
  // npm 11 completes its own options: --by becomes --bypass-2fa.
  const isAbbreviation =
    name.length > 1 && Object.keys(env).some((one) => one.startsWith(key) && env[one] === 'true')
  return env[key] || (isAbbreviation ? 'true' : undefined)
}
