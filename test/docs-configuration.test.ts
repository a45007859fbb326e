// docs/configuration.md against the code that reads the configuration.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '../src/config/config.ts'
import { VARIABLES } from '../src/config/environment.ts'
import { CONFIG_SHAPE } from '../src/config/shape.ts'
import { dialects } from '../src/providers/index.ts'
import { codesIn, readTables } from './docs/tables.ts'
import { readBlocks } from './story/page.ts'

const PAGE = readFileSync('docs/configuration.md', 'utf8')
const TABLES = readTables(PAGE)

function rowsOf(section: string): Record<string, string>[] {
  const table = TABLES.find((one) => one.section === section)
  if (!table) throw new Error(`The page has no table in ${section}.`)
  return table.rows
}

/** JSON blocks with settings. test/docs-presets.test.ts and test/docs-providers.test.ts load those of their pages. */
const SHOWN = ['bills', 'budgets', 'configuration', 'formats', 'usage'].flatMap((name) =>
  readBlocks(readFileSync(`docs/${name}.md`, 'utf8'))
    .filter(({ language }) => language === 'json')
    .map(({ text: block }, index) => ({ page: `docs/${name}.md`, index: index + 1, block })),
)

const byText = (a: string, b: string) => a.localeCompare(b)
const firstCode = (cell = '') => codesIn(cell)[0] ?? ''

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-docs-'))
})
afterEach(() => rm(cwd, { recursive: true }))

describe('the page about configuration', () => {
  it('shows a file that loads', async () => {
    const shown = readBlocks(PAGE).find(({ text }) => text.includes('"providers": ['))
    await writeFile(join(cwd, 'darkroom.config.json'), shown?.text ?? '')
    const config = await loadConfig({ env: { OPENAI_API_KEY: 'sk-test-1', BACKUP_KEY: 'sk-test-2' }, cwd })
    await Promise.all(config.providers.map((provider) => provider.close()))
    expect(config.providers.map(({ name }) => name)).toEqual(['openai', 'backup', 'sandbox'])
    expect(config.corsOrigins).toEqual(['https://app.example.com'])
  })

  it.each(SHOWN)('and the others show settings that load: $page, block $index', async ({ block }) => {
    // A model of a provider, a provider, or a file.
    const model = /"price": \{/.test(block) && !/"dialect"/.test(block)
    const provider = model
      ? `{ "name": "openai", "dialect": "openai", "apiKey": "1", "models": [${block}] }`
      : block
    const file = /"(?:providers|limits|unknownCost)": /.test(block) ? block : `{ "providers": [${provider}] }`
    const text = file.replaceAll(/<\w+>/g, 'author').replaceAll('…', '1')
    await writeFile(join(cwd, 'darkroom.config.json'), text)
    const env = Object.fromEntries([...block.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, 'sk-test-1']))
    const config = await loadConfig({ env, cwd })
    await Promise.all(config.providers.map((one) => one.close()))
    expect(config.providers.length).toBeGreaterThan(0)
  })

  it('lists every variable with its default', async () => {
    const rows = new Map(
      rowsOf('Environment variables').map((row) => [firstCode(row['variable']), row['default']]),
    )
    expect([...rows.keys()]).toEqual(expect.arrayContaining(Object.values(VARIABLES)))
    const { port, host, logLevel } = await loadConfig({ env: {}, cwd })
    expect([port, host, logLevel].map((value) => `\`${value}\``)).toEqual(
      ['PORT', 'HOST', 'LOG_LEVEL'].map((name) => rows.get(name)),
    )
  })

  it('lists every dialect with the variables that enable it', async () => {
    const rows = rowsOf('Providers').map((row) => ({
      name: firstCode(row['dialect']),
      text: row['variables'] ?? '',
    }))
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(dialects))
    for (const { name, text } of rows) {
      const [required = ''] = text.split(';')
      const env = Object.fromEntries(
        (required.match(/[A-Z_]{4,}/g) ?? []).map((variable) => [variable, valueFor(variable)]),
      )
      const config = await loadConfig({ env, cwd })
      await Promise.all(config.providers.map((provider) => provider.close()))
      expect([name, config.warnings]).toEqual([config.providers.map(({ dialect }) => dialect).join(), []])
    }
  })

  it('lists every setting with its default', () => {
    const rows = rowsOf('Settings').map((row): [string, unknown] => [
      firstCode(row['setting']),
      JSON.parse(firstCode(row['default'])),
    ])
    const settings = flatten(CONFIG_SHAPE.parse({}))
    expect(rows).toHaveLength(settings.length)
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(settings))
  })

  it('lists every option of every dialect', () => {
    for (const dialect of Object.keys(dialects)) {
      const names = listed(dialect).map(({ name }) => name)
      expect([dialect, names.toSorted(byText)]).toEqual([
        dialect,
        Object.keys(optionsOf(dialect).properties).toSorted(byText),
      ])
    }
  })

  it.each(Object.keys(dialects))('lists the default of every option: %s', (dialect) => {
    const { properties, required } = optionsOf(dialect)
    const options = listed(dialect).map((option) => ({ ...option, value: properties[option.name]?.default }))
    const shown = options.filter(({ text }) => text === 'required').map(({ name }) => name)
    expect(shown.toSorted(byText)).toEqual(required.toSorted(byText))
    const exact = options.filter(({ text }) => text.startsWith('`'))
    expect(exact.map(({ text }) => text)).toEqual(exact.map(({ value }) => `\`${String(value)}\``))
    const inexact = options.filter(({ text }) => !text.startsWith('`'))
    expect(inexact.filter(({ value }) => typeof value === 'number' || typeof value === 'boolean')).toEqual([])
  })
})

/** The options of a dialect as the page lists them, each with its default. */
function listed(dialect: string): { name: string; text: string }[] {
  return rowsOf('Provider entries')
    .filter((row) => dialectsIn(row['dialects'] ?? '').includes(dialect))
    .flatMap((row) =>
      codesIn(row['option'] ?? '').map((name) => ({ name, text: defaultIn(row['default'] ?? '', dialect) })),
    )
}

const OPTIONS = z.object({
  properties: z.record(z.string(), z.object({ default: z.unknown().optional() })),
  required: z.array(z.string()).default([]),
})

function optionsOf(dialect: string): z.output<typeof OPTIONS> {
  const options = dialects[dialect]?.options ?? z.never()
  return OPTIONS.parse(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }))
}

function valueFor(variable: string): string {
  return variable.endsWith('_URL') ? 'https://images.example.com/v1' : 'key-0123456789'
}

/** `{ engine: { leaseMs: 1 } }` as `[['engine.leaseMs', 1]]`. */
function flatten(settings: object, prefix = ''): [string, unknown][] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, value] as [string, unknown]],
  )
}

/** "`openai`, `basic`", "all", or "all but `sandbox`". */
function dialectsIn(cell: string): string[] {
  const named = codesIn(cell)
  return cell.startsWith('all') ? Object.keys(dialects).filter((name) => !named.includes(name)) : named
}

/** "`256`; `4` for `sandbox`", "the service's URL; required for `basic`": the part that applies to a dialect. */
function defaultIn(cell: string, dialect: string): string {
  const [general = '', ...special] = cell.split('; ')
  const own = special.find((text) => text.endsWith(` for \`${dialect}\``))
  return own?.replace(` for \`${dialect}\``, '') ?? general
}
