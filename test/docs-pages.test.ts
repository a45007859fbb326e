// All pages: their links, the index, the command line, the dependency rule and the length of the README.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { EXIT } from '../src/cli/command.ts'
import { COMMANDS } from '../src/cli/main.ts'
import { parseArguments } from '../src/cli/main/arguments.ts'
import { SANDBOX_DIRECTIVES } from '../src/providers/sandbox/scenario.ts'
import { LAYERS, ROOMS } from './architecture/rules.ts'
import { generatePages } from '../tools/docs.ts'
import { start } from './story/command.ts'
import { readBlocks } from './story/page.ts'

const PAGES = globSync(['*.md', 'decisions/*.md', 'docs/*.md'])
const text = (page: string) => readFileSync(page, 'utf8')

const MAX_README_WORDS = 900

describe('README.md', () => {
  it(`has at most ${MAX_README_WORDS} words, code included`, () => {
    const words = text('README.md').split(/\s+/).filter(Boolean)
    expect(words.length).toBeGreaterThan(300)
    expect(words.length).toBeLessThanOrEqual(MAX_README_WORDS)
  })
})

describe('the pages', () => {
  it('link to files and headings that exist', () => {
    const links = PAGES.flatMap(linksIn)
    expect(links.length).toBeGreaterThan(100)
    expect(links.filter(({ file }) => !existsSync(file))).toEqual([])
    const toHeadings = links.filter(({ heading }) => heading !== undefined)
    expect(toHeadings.length).toBeGreaterThan(10)
    expect(toHeadings.filter(({ file, heading }) => !headingsOf(file).includes(heading ?? ''))).toEqual([])
  })

  it('call a linked file by its name', () => {
    const links = PAGES.flatMap(linksIn).filter(({ label }) => /^[\w/.-]+\.(?:ts|md)$/.test(label))
    expect(links.length).toBeGreaterThan(50)
    expect(links.filter(({ file, label }) => !file.endsWith(basename(label)))).toEqual([])
  })

  it('name source and test files that exist', () => {
    const named = PAGES.flatMap((page) =>
      [...text(page).matchAll(/(?<![\w./])(?:src|test|bench)\/[\w/.-]+\.ts\b/g)].map(([file]) => ({
        page,
        file,
      })),
    )
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter(({ file }) => !existsSync(file))).toEqual([])
  })

  it('name npm scripts that exist', () => {
    const named = PAGES.flatMap((page) =>
      [...text(page).matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script = '']) => ({ page, script })),
    )
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter(({ script }) => !(script in manifest.scripts))).toEqual([])
  })

  it('name functions where they are', () => {
    const named = PAGES.flatMap((page) =>
      [...text(page).matchAll(/`(\w+)` in\s+\[[^\]]+\]\(([^)#]+)\)/g)].map(([, name = '', to = '']) => ({
        page,
        name,
        file: join(dirname(page), to),
      })),
    )
    expect(named.length).toBeGreaterThan(4)
    expect(named.filter(({ name, file }) => !new RegExp(`\\b${name}\\b`).test(text(file)))).toEqual([])
  })

  it('show command lines whose command and options exist', () => {
    const shown = PAGES.flatMap((page) => commandLinesIn(page).map((line) => ({ page, line })))
    expect(shown.length).toBeGreaterThan(60)
    const problems = shown.map(({ page, line }) => ({ page, line, problem: commandProblem(line) }))
    expect(problems.filter(({ problem }) => problem !== undefined)).toEqual([])
    expect(commandProblem('tasks --colour red')).toContain('has no option --colour')
  })

  it('show GraphQL operations that are valid', () => {
    const schema = buildSchema(text('schema.graphql'))
    const operations = PAGES.flatMap((page) => operationsIn(page).map((source) => ({ page, source })))
    expect(operations.length).toBeGreaterThan(10)
    const problems = operations.map(({ page, source }) => ({
      page,
      source,
      errors: validate(schema, parse(source)).map(({ message }) => message),
    }))
    expect(problems.filter(({ errors }) => errors.length > 0)).toEqual([])
  })

  it('are each listed once in the index', () => {
    const listed = linksIn('docs/README.md').map(({ file }) => file)
    const pages = globSync('docs/*.md').filter((page) => basename(page) !== 'README.md')
    expect(listed.filter((file) => /^docs\/.+\.md$/.test(file)).toSorted()).toEqual(pages.toSorted())
  })
})

describe('docs/getting-started.md', () => {
  it('lists every directive of the sandbox', () => {
    const listed = [...text('docs/getting-started.md').matchAll(/^\| `(\[sandbox:[^`]+)` \|/gm)]
    expect(listed.map(([, directive]) => directive)).toEqual(SANDBOX_DIRECTIVES)
  })
})

it.each([...generatePages()])('%s has its generated parts: run `npm run docs`', (page, generated) => {
  expect(text(page)).toBe(generated)
})

describe('docs/cli.md', () => {
  const page = text('docs/cli.md')

  it('lists every command', async () => {
    const help = start('darkroom', ['help'], { cwd: process.cwd(), env: { NO_COLOR: '1' } })
    expect(await help.ended).toBe(0)
    const [, commands = ''] = /^Commands\n((?: {2}\S.*\n)+)/m.exec(help.stdout()) ?? []
    const names = [...commands.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(10)
    expect(new Set([...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name))).toEqual(
      new Set(names),
    )
  })

  it('lists every exit code', () => {
    const listed = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
    expect(listed).toEqual([...new Set(Object.values(EXIT))].toSorted((a, b) => a - b))
  })
})

describe('the dependency rule', () => {
  // The package's entry point is on the level of `cli`; the pages say so beside the rule.
  const rule = arrows(LAYERS).replace('cli | embedded', 'cli')

  it.each(['CONTRIBUTING.md', 'decisions/001-dependency-rule.md', 'docs/architecture.md'])(
    'is quoted by %s as the test enforces it',
    (page) => expect(text(page)).toContain(`\`${rule}\``),
  )

  it('is quoted by CONTRIBUTING.md for rooms', () => {
    const { 'src/providers/': [, ...shared] = [], ...others } = ROOMS
    const page = text('CONTRIBUTING.md')
    for (const [layer, rooms] of Object.entries(others))
      expect(page).toContain(`\`${basename(layer)}\`: \`${arrows(rooms)}\``)
    expect(page).toContain(
      `one room per dialect, then ${shared.map((rooms) => `\`${rooms.join(' | ')}\``).join(', then ')}`,
    )
  })
})

function arrows(order: readonly (readonly string[])[]): string {
  return order.map((names) => names.join(' | ')).join(' → ')
}

/** The operations of a page: its GraphQL blocks, by line where a block has several, and the bodies of its curl commands. */
function operationsIn(page: string): string[] {
  return readBlocks(text(page)).flatMap((block) => {
    const [, body] = /^curl (?![^']*\/v1\/)[^']*(?:'[^']*'[^']*)*? -d '\n?([^']+)'/.exec(block.text) ?? []
    if (body !== undefined) return [body]
    if (block.language !== 'graphql') return []
    const lines = block.text.trim().split('\n')
    return lines.every((line) => /^(?:query|mutation|\{).*\}$/.test(line)) ? lines : [block.text]
  })
}

/** In blocks: what follows `darkroom`, `npx darkroom` or `npm run darkroom --`, without comments and redirections. */
function commandLinesIn(page: string): string[] {
  const lines = readBlocks(text(page))
    .filter(({ language }) => ['sh', 'text'].includes(language))
    .flatMap((block) => block.text.split('\n'))
  return lines.flatMap((line) => {
    const [, command] =
      /^(?:[A-Z_]+=\S+ )*(?:npm run darkroom -- |npx darkroom |darkroom )([^#>|]+)/.exec(line) ?? []
    return command === undefined ? [] : [command.trim()]
  })
}

function commandProblem(line: string): string | undefined {
  const [name = '', ...args] = [...line.matchAll(/"[^"]*"|\S+/g)].map(([word]) => word)
  const command = COMMANDS.find((one) => one.name === name)
  if (command === undefined) return `There is no command ${name}.`
  // A usage has placeholders and alternatives in brackets.
  if (/[[<|]/.test(line)) return undefined
  try {
    parseArguments(command, args)
    return undefined
  } catch (error) {
    return String(error)
  }
}

interface Link {
  page: string
  label: string
  file: string
  heading: string | undefined
}

function linksIn(page: string): Link[] {
  const links = text(page).matchAll(/\[([^\]]*)\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)
  return [...links].map(([, label = '', to = '', heading]) => ({
    page,
    label,
    file: to === '' ? page : join(dirname(page), to),
    heading,
  }))
}

/** The anchors that GitHub gives to the headings of a page. */
function headingsOf(page: string): string[] {
  return [...text(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
