// Tries each row of the tables in docs/providers.md against the adapters.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSchema, isInputObjectType, isObjectType } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '../src/config/config.ts'
import { splitIntoParts } from '../src/engine/attempts/plan.ts'
import { dialects } from '../src/providers/index.ts'
import { failuresOf, outcomeOf } from './docs/outcomes.ts'
import { PAGES, type Page } from './docs/pages.ts'
import { connectionScenario, replyOf, taskReplyOf } from './docs/replies.ts'
import { codesIn, readExamples, readSupport, readTables, readSample, type Table } from './docs/tables.ts'
import { failCheck, failSubmit, matchSample, send, SETTINGS } from './docs/sample.ts'

const DOC = readFileSync('docs/providers.md', 'utf8')
const TABLES = readTables(DOC)
const SCHEMA = buildSchema(readFileSync('schema.graphql', 'utf8'))

function tableOf(section: string, firstColumn: string): Table['rows'] {
  const found = TABLES.find((table) => table.section === section && table.columns[0] === firstColumn)
  if (!found) throw new Error(`${section} has no table of ${firstColumn}`)
  return found.rows
}

const fieldOf = (row: Record<string, string>) => codesIn(row['request field'] ?? '')[0] ?? ''
const isHeader = (row: Record<string, string>) => row['request field']?.endsWith('header') === true

describe.each(PAGES)('$title', (page) => {
  const requests = tableOf(page.title, 'request field')
  const others = tableOf(page.title, 'other setting')

  it('has a row for every field of the request, with every value', () => {
    const rows = new Map(requests.map((row) => [fieldOf(row), codesIn(row['values'] ?? '')]))
    expect([...rows.keys()].sort()).toEqual(Object.keys(page.request).sort())
    for (const [field, values] of Object.entries(page.request))
      expect([field, rows.get(field)]).toEqual([field, [...values]])
  })

  it('has a row for every field of the response, stored in fields that exist', () => {
    const rows = tableOf(page.title, 'response field')
    const fields = rows.flatMap((row) => codesIn(row['response field'] ?? ''))
    expect(fields).toEqual(expect.arrayContaining([...page.response]))
    const targets = rows.flatMap((row) => codesIn(row['in Darkroom'] ?? ''))
    expect(targets.length).toBeGreaterThan(2)
    expect(targets.filter((target) => !isInSchema(target))).toEqual([])
  })

  it('has a row for every setting of the input, under names that exist', () => {
    const input = SCHEMA.getType('GenerateImageInput')
    const inputs = isInputObjectType(input) ? Object.keys(input.getFields()) : []
    const options = optionsOf(page)
    const targets = requests.map((row) => {
      const [settings = '', configured = ''] = (row['in Darkroom'] ?? '').split('configuration: ')
      expect(codesIn(configured).filter((name) => !options.includes(name) && name !== 'PUBLIC_URL')).toEqual(
        [],
      )
      return codesIn(settings)[0]
    })
    const named = [
      ...targets.filter((target) => target !== undefined),
      ...others.flatMap((row) => codesIn(row['other setting'] ?? '')),
    ]
    expect(named.filter((name) => !inputs.includes(name))).toEqual([])
    const settings = Object.keys(SETTINGS).filter((name) => name !== 'callback')
    expect(named.sort()).toEqual(settings.sort())
  })

  it.each(
    requests.flatMap((row) =>
      readExamples(row['sent'] ?? '').map((example) => ({ ...example, field: fieldOf(row), row })),
    ),
  )('sends $sample as $sent in $field', async ({ row, field, sample, sent }) => {
    const { headers, parameters } = await send(page, sample)
    const arrived = isHeader(row) ? headers[field.toLowerCase()] : parameters[field]
    expect(shortened(arrived)).toEqual(sent)
  })

  it.each(requests.filter((row) => !isHeader(row)).flatMap((row) => valueSamples(row)))(
    'accepts $sample and sends $value in $field',
    async ({ field, key, sample, value }) => {
      expect(String((await send(page, sample)).parameters[field])).toBe(value)
      if (!(key in SETTINGS)) return
      const { match } = await matchSample(page, sample)
      expect([...match.refusals, ...match.warnings.filter((one) => one.field === key)]).toEqual([])
    },
  )

  const unsupported = [
    ...requests.map((row) => row['if unsupported'] ?? ''),
    ...others.map((row) => row[''] ?? ''),
  ].flatMap(readSupport)

  it.each(unsupported)('responds to $sample with: $kind', async ({ sample, kind }) => {
    const field = Object.keys(sample).at(-1)
    const { match } = await matchSample(page, sample)
    const warned = match.warnings.filter(({ code }) => code !== 'MODEL_RETIRING')
    expect(warned.some((one) => one.field === field)).toBe(kind === 'warning')
    expect(match.refusals.some((one) => one.field === field)).toBe(kind === 'error')
  })

  it('splits into the number of calls that it shows', async () => {
    const splits = requests.flatMap((row) => [
      ...(row['if unsupported'] ?? '').matchAll(/`([^`]*n: (\d+))` in (\d+) calls/g),
    ])
    for (const [, sample = '', n, calls] of splits) {
      const { offer } = await matchSample(page, readSample(sample))
      expect(splitIntoParts(Number(n), offer.capabilities.maxN)).toHaveLength(Number(calls))
    }
    expect(splits).toHaveLength(page.dialect === 'basic' ? 0 : 1)
  })

  it.each(failuresOf(tableOf(page.title, 'provider response'), 'provider response'))(
    'when the provider responds with $when: $next, charged $charged',
    async ({ when, ...expected }) => {
      const reply = codesIn(when)[0] ?? ''
      const failure = reply.startsWith('task ')
        ? await failCheck(page, (remoteId) => taskReplyOf(page, reply, remoteId))
        : await failSubmit(page, replyOf(page, reply))
      expect(outcomeOf(failure)).toEqual(expected)
    },
  )

  it.each(failuresOf(tableOf('All providers', 'event'), 'event'))(
    'when $when: $next, charged $charged',
    async ({ when, ...expected }) => {
      expect(outcomeOf(await failSubmit(page, connectionScenario(when)))).toEqual(expected)
    },
  )

  it('charges nothing for failures that the operator declares as unbilled', async () => {
    const [, option = ''] = /With `(\w+): true`/.exec(sectionOf(page)) ?? []
    const unbilled = { [option]: true }
    const failure =
      option === 'unbilledServerErrors'
        ? await failSubmit(page, replyOf(page, '503'), unbilled)
        : await failCheck(page, (id) => taskReplyOf(page, FAILED[page.dialect] ?? '', id), unbilled)
    expect(outcomeOf(failure)).toEqual({ next: 'retried', code: 'PROVIDER_BROKEN', charged: 'NO' })
  })

  it('shows a configuration that loads', () => {
    const [, json = ''] = /```json\n(.*)\n```/.exec(sectionOf(page)) ?? []
    const { name: _, dialect, ...entry } = z.record(z.string(), z.unknown()).parse(JSON.parse(json))
    expect(dialect).toBe(page.dialect)
    const defaults = { apiKey: 'key', accessKey: 'key', secretKey: 'key' }
    const options = Object.entries(entry).map(([key, value]) => [key, key in defaults ? 'key' : value])
    expect(dialects[page.dialect]?.options.safeParse(Object.fromEntries(options)).error).toBeUndefined()
  })
})

it('shows a configuration of all dialects that loads', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-docs-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  const [, json = ''] = /```json\n(\{\n[^`]+)```/.exec(DOC) ?? []
  await writeFile(join(cwd, 'darkroom.config.json'), json)
  const variables = [...json.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, 'key-0123456789'])
  const { providers, warnings } = await loadConfig({ cwd, env: Object.fromEntries(variables) })
  await Promise.all(providers.map((provider) => provider.close()))
  expect(warnings).toEqual([])
  expect(Object.fromEntries(providers.map(({ name, dialect }) => [name, dialect]))).toEqual({
    openai: 'openai',
    pmock: 'pmock',
    'pmock-compat': 'openai',
    cloud: 'basic',
    jimmy: 'jimmy',
    acedata: 'acedata',
    sandbox: 'sandbox',
  })
})

it('reads every row of the tables', () => {
  expect(readExamples('`quality: HIGH` → `"high"`; `n: 1` → left out')).toEqual([
    { sample: { quality: 'HIGH' }, sent: 'high' },
    { sample: { n: 1 }, sent: undefined },
  ])
  expect(readSupport('`style: VIVID` warning: why; `size: 1x1` error; `images: 1` accepted')).toHaveLength(3)
  expect(count('sent', readExamples)).toBeGreaterThan(60)
  expect(count('if unsupported', readSupport) + count('', readSupport)).toBeGreaterThan(50)
})

function count(column: string, read: (cell: string) => unknown[]): number {
  return TABLES.flatMap(({ rows }) => rows.flatMap((row) => read(row[column] ?? ''))).length
}

/** The values of the page that no example of the row covers, as samples. */
function valueSamples(row: Record<string, string>) {
  const [key = ''] = codesIn((row['in Darkroom'] ?? '').replace('configuration: ', ''))
  const [, context] = /with `([^`]+)`/.exec(row['in Darkroom'] ?? '') ?? []
  const special = [...readExamples(row['sent'] ?? ''), ...readSupport(row['if unsupported'] ?? '')]
  return codesIn(row['values'] ?? '')
    .map((value) => ({
      field: fieldOf(row),
      key,
      value,
      setting: LITERAL_VALUES.has(key) ? value : value.toUpperCase(),
    }))
    .filter(({ setting }) => context !== undefined || !special.some(({ sample }) => sample[key] === setting))
    .map(({ setting, ...rest }) => ({
      ...rest,
      sample: { ...(context && readSample(context)), [key]: key === 'n' ? Number(setting) : setting },
    }))
}

// Values of the page, not of the GraphQL schema.
const LITERAL_VALUES = new Set(['model', 'size', 'responseFormat'])

/** A task that failed for a reason of the upstream's own. */
const FAILED: Readonly<Record<string, string>> = {
  pmock: 'task 500 "internal error"',
  jimmy: 'task failed "out of memory"',
  acedata: 'task api_error "fetch failed"',
}

function sectionOf({ title }: Page): string {
  return DOC.split(/^## /m).find((section) => section.startsWith(title)) ?? ''
}

/** With … for the content of a data URL. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shortened)
  return typeof value === 'string' ? value.replace(/^(data:[^,]+,).+/, '$1…') : value
}

function isInSchema(target: string): boolean {
  const [type = '', field = ''] = target.split('.')
  const found = SCHEMA.getType(type)
  return isObjectType(found) && field in found.getFields()
}

function optionsOf({ dialect }: Page): string[] {
  const options = dialects[dialect]?.options ?? z.never()
  const { properties } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' })
  return Object.keys(properties ?? {})
}
