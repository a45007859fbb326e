import type { Command } from '../command.ts'
import type { Paint } from '../screen.ts'
import { renderTable } from '../table.ts'

export function overview(commands: readonly Command[], version: string, paint: Paint): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const)
  return page([
    `${paint('bold', 'Darkroom')} ${version}\nA self-hosted GraphQL gateway for paid image generation.`,
    section('Usage', ['darkroom <command> [options]'], paint),
    section('Commands', columns(rows, paint), paint),
    section('Examples', ['darkroom demo "a red fox in the snow"', 'darkroom help serve'], paint),
  ])
}

export function commandHelp(
  { name, summary, usage = '', options = {}, notes = {}, examples }: Command,
  paint: Paint,
): string {
  const sections = { ...(Object.keys(options).length > 0 && { Options: options }), ...notes }
  return page([
    `${paint('bold', `darkroom ${name}`)}\n${summary}.`,
    section('Usage', [`darkroom ${name} ${usage}`.trimEnd()], paint),
    ...Object.entries(sections).map(([title, rows]) =>
      section(title, columns(Object.entries(rows), paint), paint),
    ),
    section('Examples', examples, paint),
  ])
}

function page(parts: readonly string[]): string {
  return `\n${parts.join('\n\n')}\n\n`
}

function section(title: string, lines: readonly string[], paint: Paint): string {
  return [paint('dim', title), ...lines.map((line) => `  ${line}`)].join('\n')
}

function columns(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  return renderTable({ columns: [{ format: 'cyan' }, {}], rows, gap: 3 }, paint)
}
