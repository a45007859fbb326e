// docs/providers.md says what becomes of every field of the five pages. Here each of its rows is tried.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSchema, isInputObjectType, isObjectType } from 'graphql'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '../src/config/config.ts'
import { splitIntoParts } from '../src/engine/attempts/plan.ts'
import type { Failure } from '../src/providers/error.ts'
import { dialects } from '../src/providers/index.ts'
import { PAGES, type Page } from './docs/pages.ts'
import { mishap, replyOf, taskReplyOf } from './docs/replies.ts'
import { codesIn, readExamples, readObjections, readTables, readWish, type Table } from './docs/tables.ts'
import { endWith, failWith, judge, send, SETTINGS } from './docs/trial.ts'

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

  test('has a row for every field of the request, with every value', () => {
    const rows = new Map(requests.map((row) => [fieldOf(row), codesIn(row['values'] ?? '')]))
    expect([...rows.keys()].sort()).toEqual(Object.keys(page.request).sort())
    for (const [field, values] of Object.entries(page.request))
      expect([field, rows.get(field)]).toEqual([field, [...values]])
  })

  test('has a row for every field of the response, kept in places that there are', () => {
    const rows = tableOf(page.title, 'response field')
    const fields = rows.flatMap((row) => codesIn(row['response field'] ?? ''))
    expect(fields).toEqual(expect.arrayContaining([...page.response]))
    const places = rows.flatMap((row) => codesIn(row['in Darkroom'] ?? ''))
    expect(places.length).toBeGreaterThan(2)
    expect(places.filter((place) => !isInSchema(place))).toEqual([])
  })

  test('accounts for every setting that a client may choose, under names that there are', () => {
    const input = SCHEMA.getType('GenerateImageInput')
    const inputs = isInputObjectType(input) ? Object.keys(input.getFields()) : []
    const options = optionsOf(page)
    const places = requests.map((row) => {
      const [settings = '', configured = ''] = (row['in Darkroom'] ?? '').split('configuration: ')
      expect(codesIn(configured).filter((name) => !options.includes(name) && name !== 'PUBLIC_URL')).toEqual(
        [],
      )
      return codesIn(settings)[0]
    })
    const named = [
      ...places.filter((place) => place !== undefined),
      ...others.flatMap((row) => codesIn(row['other setting'] ?? '')),
    ]
    expect(named.filter((name) => !inputs.includes(name))).toEqual([])
    const settings = Object.keys(SETTINGS).filter((name) => name !== 'address')
    expect(named.sort()).toEqual(settings.sort())
  })

  test.each(
    requests.flatMap((row) =>
      readExamples(row['sent'] ?? '').map((example) => ({ ...example, field: fieldOf(row), row })),
    ),
  )('sends $wish as $sent in $field', async ({ row, field, wish, sent }) => {
    const { headers, parameters } = await send(page, wish)
    const arrived = isHeader(row) ? headers[field.toLowerCase()] : parameters[field]
    expect(shortened(arrived)).toEqual(sent)
  })

  test.each(requests.filter((row) => !isHeader(row)).flatMap((row) => plainValues(row)))(
    'takes $wish and sends $value in $field',
    async ({ field, key, wish, value }) => {
      expect(String((await send(page, wish)).parameters[field])).toBe(value)
      if (!(key in SETTINGS)) return
      const { match } = await judge(page, wish)
      expect([...match.refusals, ...match.warnings.filter((one) => one.field === key)]).toEqual([])
    },
  )

  const verdicts = [
    ...requests.map((row) => row['otherwise'] ?? ''),
    ...others.map((row) => row[''] ?? ''),
  ].flatMap(readObjections)

  test.each(verdicts)('answers $wish with: $kind', async ({ wish, kind }) => {
    const field = Object.keys(wish).at(-1)
    const { match } = await judge(page, wish)
    const warned = match.warnings.filter(({ code }) => code !== 'MODEL_RETIRING')
    expect(warned.some((one) => one.field === field)).toBe(kind === 'warning')
    expect(match.refusals.some((one) => one.field === field)).toBe(kind === 'refusal')
  })

  test('splits what it says it splits', async () => {
    const splits = requests.flatMap((row) => [
      ...(row['otherwise'] ?? '').matchAll(/`([^`]*n: (\d+))` in (\d+) calls/g),
    ])
    for (const [, wish = '', n, calls] of splits) {
      const { offer } = await judge(page, readWish(wish))
      expect(splitIntoParts(Number(n), offer.capabilities.maxN)).toHaveLength(Number(calls))
    }
    expect(splits).toHaveLength(page.dialect === 'basic' ? 0 : 1)
  })

  test.each(failuresOf(page.title, 'the provider answers'))(
    'when the provider answers $when: $next, charged $charged',
    async ({ when, ...promised }) => {
      const reply = codesIn(when)[0] ?? ''
      const failure = reply.startsWith('task ')
        ? await endWith(page, (remoteId) => taskReplyOf(page, reply, remoteId))
        : await failWith(page, replyOf(page, reply))
      expect(outcomeOf(failure)).toEqual(promised)
    },
  )

  test.each(failuresOf('All of them', 'it happens that'))(
    'when $when: $next, charged $charged',
    async ({ when, ...promised }) => {
      expect(outcomeOf(await failWith(page, mishap(when)))).toEqual(promised)
    },
  )

  test('charges nothing for failures that the operator vouches for', async () => {
    const [, option = ''] = /With `(\w+): true`/.exec(sectionOf(page)) ?? []
    const vouched = { [option]: true }
    const failure =
      option === 'unbilledServerErrors'
        ? await failWith(page, replyOf(page, '503'), vouched)
        : await endWith(page, (id) => taskReplyOf(page, FAILED[page.dialect] ?? '', id), vouched)
    expect(outcomeOf(failure)).toEqual({ next: 'again', code: 'PROVIDER_BROKEN', charged: 'NO' })
  })

  test('shows a configuration that loads', () => {
    const [, json = ''] = /```json\n(.*)\n```/.exec(sectionOf(page)) ?? []
    const { name: _, dialect, ...entry } = z.record(z.string(), z.unknown()).parse(JSON.parse(json))
    expect(dialect).toBe(page.dialect)
    const defaults = { apiKey: 'key', accessKey: 'key', secretKey: 'key' }
    const said = Object.entries(entry).map(([key, value]) => [key, key in defaults ? 'key' : value])
    expect(dialects[page.dialect]?.options.safeParse(Object.fromEntries(said)).error).toBeUndefined()
  })
})

test('the configuration of all of them loads', async () => {
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

test('the tables are read: a wrong row would be seen', () => {
  expect(readExamples('`quality: HIGH` → `"high"`; `n: 1` → left out')).toEqual([
    { wish: { quality: 'HIGH' }, sent: 'high' },
    { wish: { n: 1 }, sent: undefined },
  ])
  expect(readObjections('`style: VIVID` warning: why; `size: 1x1` refusal; `images: 1` taken')).toHaveLength(
    3,
  )
  expect(count('sent', readExamples)).toBeGreaterThan(60)
  expect(count('otherwise', readObjections) + count('', readObjections)).toBeGreaterThan(50)
})

function count(column: string, read: (cell: string) => unknown[]): number {
  return TABLES.flatMap(({ rows }) => rows.flatMap((row) => read(row[column] ?? ''))).length
}

/** The page's values that no example or objection of the row speaks of, as wishes. */
function plainValues(row: Record<string, string>) {
  const [key = ''] = codesIn((row['in Darkroom'] ?? '').replace('configuration: ', ''))
  const [, context] = /with `([^`]+)`/.exec(row['in Darkroom'] ?? '') ?? []
  const special = [...readExamples(row['sent'] ?? ''), ...readObjections(row['otherwise'] ?? '')]
  return codesIn(row['values'] ?? '')
    .map((value) => ({
      field: fieldOf(row),
      key,
      value,
      asked: LITERAL.has(key) ? value : value.toUpperCase(),
    }))
    .filter(({ asked }) => context !== undefined || !special.some(({ wish }) => wish[key] === asked))
    .map(({ asked, ...rest }) => ({
      ...rest,
      wish: { ...(context && readWish(context)), [key]: key === 'n' ? Number(asked) : asked },
    }))
}

// Not words of ours, but of the page.
const LITERAL = new Set(['model', 'size', 'responseFormat'])

/** A task that ended without a picture, for a reason of the upstream's own. */
const FAILED: Readonly<Record<string, string>> = {
  pmock: 'task 500 "internal error"',
  jimmy: 'task failed "out of memory"',
  acedata: 'task api_error "fetch failed"',
}

function sectionOf({ title }: Page): string {
  return DOC.split(/^## /m).find((section) => section.startsWith(title)) ?? ''
}

/** With … for what a data URL holds. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shortened)
  return typeof value === 'string' ? value.replace(/^(data:[^,]+,).+/, '$1…') : value
}

/** The rows of a table of failures. */
function failuresOf(section: string, firstColumn: string) {
  return tableOf(section, firstColumn).map((row) => ({
    when: row[firstColumn] ?? '',
    next: row['then'],
    code: codesIn(row['error code'] ?? '')[0],
    charged: codesIn(row['charged'] ?? '')[0],
  }))
}

function outcomeOf(failure: Failure) {
  return { next: consequence(failure), code: failure.code, charged: failure.charged }
}

/** What the engine does, in the words of the page. */
function consequence({ kind, charged }: Failure): string {
  if (kind === 'lost') return 'held'
  if (charged !== 'NO' || kind === 'rejected') return 'the task fails'
  return kind === 'refused' ? 'another provider' : 'again'
}

function isInSchema(place: string): boolean {
  const [type = '', field = ''] = place.split('.')
  const found = SCHEMA.getType(type)
  return isObjectType(found) && field in found.getFields()
}

function optionsOf({ dialect }: Page): string[] {
  const options = dialects[dialect]?.options ?? z.never()
  const { properties } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' })
  return Object.keys(properties ?? {})
}
