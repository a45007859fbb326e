// From what zod found to sentences a person can act on: where, the value, what would be right, the nearest right name.
import { z } from 'zod'
import { didYouMean } from './nearest.ts'
import { MISSING } from './sources.ts'

/** Where an object was written, for problems inside of it. */
export interface Setting {
  /** Begins the sentence: `darkroom.config.json: providers[2].dialect` for the path within the object. */
  where: (path: readonly PropertyKey[]) => string
  /** The object as it was written, before `${VAR}` was replaced. */
  written: unknown
}

const SECRET_NAME = /key|secret|token|password|credential|authorization/i

/** Validates `value`; pushes one sentence for every problem and then returns undefined. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  setting: Setting & { problems: string[] },
): T | undefined {
  const result = schema.safeParse(value, { error: explain })
  if (result.success) return result.data
  const seen = new Set<string>()
  for (const issue of result.error.issues.flatMap(concrete)) {
    // One sentence for each place: a value of the wrong form fails the later checks as well.
    const place = JSON.stringify(issue.path.map(String))
    if (at(value, issue.path) === MISSING || seen.has(place)) continue
    if (issue.code !== 'unrecognized_keys') seen.add(place)
    setting.problems.push(...sentences(issue, schema, setting))
  }
  return undefined
}

/** True for names such as `apiKey`, whose values must never be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** A value as a sentence may show it: short, without credentials, and not at all where its name is a secret's. */
export function show(value: unknown, name: string): string {
  if (isSecretName(name)) return '(hidden)'
  if (typeof value === 'string') return JSON.stringify(shorten(withoutCredentials(value)))
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

/** Of the forms a value may have, what is wrong with the one it comes nearest to. */
function concrete(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const [likeliest] = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)
  if (likeliest === undefined || depth(likeliest) < 1) return [issue]
  return likeliest.flatMap((inner) => concrete({ ...inner, path: [...issue.path, ...inner.path] }))
}

function sentences(issue: z.core.$ZodIssue, schema: z.ZodType, { where, written }: Setting): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path)
    return issue.keys.map(
      (key) => `${where([...issue.path, key])} is not a setting.${didYouMean(key, known)}`,
    )
  }
  const value = at(written, issue.path)
  const place = where(issue.path)
  if (value === undefined) return [`${place} is missing: ${asSentence(issue.message)}.`]
  const hint =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? didYouMean(value, issue.values.map(String))
      : ''
  return [`${place} is ${show(value, String(issue.path.at(-1)))}: ${asSentence(issue.message)}.${hint}`]
}

/** How far into the value the deepest of these issues lies. */
function depth(branch: readonly z.core.$ZodIssue[]): number {
  return Math.max(...branch.map(({ path }) => path.length))
}

/** Dialects word their own messages: `must not …` or `Invalid input`. */
function asSentence(message: string): string {
  const text = message.replace(/\.$/, '')
  if (text.startsWith('must ')) return `it ${text}`
  return text === 'Invalid input' ? 'it has none of the forms it may have' : text
}

/** What would be right, for shapes that do not say so themselves. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `it must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `it must be ${list(issue.values.map(String))}`
  if (issue.code === 'too_small') return `it must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'too_big') return `it must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'invalid_format')
    return `it must be ${FORMATS[issue.format] ?? `of the form ${issue.format}`}`
  return undefined
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}
const UNITS: Readonly<Record<string, string>> = { string: ' characters long', array: ' long' }
const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  date: 'a date such as 2026-12-31',
  regex: 'of another form',
}

/** The names an object at `path` may have. Read from JSON Schema, where every wrapper zod knows is gone. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
  return Object.keys(at(descend([root], path), ['properties']) ?? {})
}

function descend(branches: readonly unknown[], path: readonly PropertyKey[]): unknown {
  const open = branches.flatMap((branch) => [
    branch,
    ...alternatives(branch, 'anyOf'),
    ...alternatives(branch, 'allOf'),
  ])
  const [key, ...rest] = path
  if (key === undefined) return open.find((branch) => at(branch, ['properties']) !== undefined)
  const step = typeof key === 'number' ? ['items'] : ['properties', key]
  return descend(
    open
      .map((branch) => at(branch, step) ?? at(branch, ['additionalProperties']))
      .filter((next) => next !== undefined),
    rest,
  )
}

function alternatives(branch: unknown, kind: 'anyOf' | 'allOf'): unknown[] {
  const found = at(branch, [kind])
  return Array.isArray(found) ? found : []
}

/** What stands at `path`; undefined when nothing does. */
export function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//(hidden)@').replace(/\?.*$/, '?…')
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
