// The generated parts of docs/: `npm run docs` writes them, and test/docs-pages.test.ts compares them.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from '../src/cli/command.ts'
import { COMMANDS } from '../src/cli/main.ts'

const ROOT = resolve(import.meta.dirname, '..')

/** By page: the name of each generated part, and its text. */
const PARTS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'docs/cli.md': { commands: () => COMMANDS.map(commandSection).join('\n') },
}

/** Every page with a generated part, as it must be. */
export function generatePages(): Map<string, string> {
  return new Map(
    Object.entries(PARTS).map(([page, parts]) => {
      const text = readFileSync(join(ROOT, page), 'utf8')
      return [page, Object.entries(parts).reduce((all, [name, make]) => replacePart(all, name, make()), text)]
    }),
  )
}

function replacePart(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin: ${name}, by npm run docs -->`, `<!-- end: ${name} -->`]
  const [before, rest] = [page.slice(0, page.indexOf(begin)), page.slice(page.indexOf(end))]
  if (!page.includes(begin) || !rest.startsWith(end)) throw new Error(`There is no part ${name} on the page.`)
  return `${before}${begin}\n\n${content.trim()}\n\n${rest}`
}

function commandSection({ name, summary, usage = '', options = {}, notes = {}, examples }: Command): string {
  const lists = Object.entries(notes).map(([title, terms]) => `${title}:\n\n${definitions(terms)}`)
  return [
    `### darkroom ${name}`,
    `${summary}.`,
    block(`darkroom ${name} ${usage}`.trimEnd()),
    ...(Object.keys(options).length > 0 ? [definitions(options)] : []),
    ...lists,
    'Examples:',
    block(examples.join('\n')),
    '',
  ].join('\n\n')
}

function definitions(terms: Readonly<Record<string, string>>): string {
  // A term without a name continues the one before.
  const items: [string, string][] = []
  for (const [term, text] of Object.entries(terms)) {
    const last = items.at(-1)
    if (term === '' && last) last[1] += ` ${text}`
    else items.push([term, text])
  }
  return items.map(([term, text]) => `- \`${term}\`: ${text}`).join('\n')
}

function block(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``
}

if (import.meta.main) for (const [page, text] of generatePages()) writeFileSync(join(ROOT, page), text)
