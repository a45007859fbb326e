import type { Command } from './command.ts'
import type { Paint } from './screen.ts'
import { renderTable } from './table.ts'

/** What `darkroom help` prints. */
export function overview(commands: readonly Command[], version: string, paint: Paint): string {
  return page([
    `${paint('bold', 'Darkroom')} ${version}\nA self-hosted GraphQL gateway for paid image generation.`,
    section('Usage', ['darkroom <command> [options]'], paint),
    section(
      'Commands',
      columns(
        commands.map(({ name, summary }) => [name, summary]),
        paint,
      ),
      paint,
    ),
    section(
      'Try',
      columns(
        [
          ['darkroom demo "a red fox in the snow"', 'a picture, from prompt to file and bill'],
          ['darkroom help serve', 'every setting of the server'],
        ],
        paint,
      ),
      paint,
    ),
  ])
}

/** What `darkroom help <command>` prints. */
export function commandHelp(command: Command, paint: Paint): string {
  const options = command.options.map(
    ({ name, value, about }) => [value === null ? `--${name}` : `--${name} ${value}`, about] as const,
  )
  return page([
    `${paint('bold', `darkroom ${command.name}`)}\n${command.summary}.`,
    section('Usage', [`darkroom ${command.name}${command.usage ? ` ${command.usage}` : ''}`], paint),
    options.length > 0 ? section('Options', columns(options, paint), paint) : '',
    ...command.notes.map(({ title, lines }) => section(title, columns(lines, paint), paint)),
    command.examples.length > 0 ? section('Examples', command.examples, paint) : '',
  ])
}

function page(parts: readonly string[]): string {
  return `\n${parts.filter((part) => part !== '').join('\n\n')}\n\n`
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return [paint('dim', title), ...lines.map((line) => `  ${line}`)].join('\n')
}

function columns(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  return renderTable({ columns: [{ format: 'cyan' }, {}], rows, gap: 3 }, paint)
}
