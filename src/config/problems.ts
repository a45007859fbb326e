// zod's issues as sentences: setting, value, rule, nearest valid name.
import { z } from 'zod'
import { didYouMean } from '../nearest.ts'
import { MISSING, type Sources } from './sources.ts'

/** Paths are relative to the object. */
export type Setting = Pick<Sources, 'where'> & { written: unknown }

/** Names before 0.2.0. */
const RENAMED: Readonly<Record<string, string>> = {
  previewsMs: 'partialImagesMs',
  lookAfterMs: 'lookupDelaysMs',
  progressEveryMs: 'progressIntervalMs',
}

/** Undefined if invalid; adds a sentence per problem. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  setting: Setting & { problems: string[] },
): T | undefined {
  const result = schema.safeParse(value, { error: ruleOf })
  if (result.success) return result.data
  const reported = new Set<string>()
  for (const issue of result.error.issues.flatMap(concreteIssues)) {
    // A wrong type fails later checks too: one sentence per path.
    const path = JSON.stringify(issue.path.map(String))
    if (valueAt(value, issue.path) === MISSING || reported.has(path)) continue
    if (issue.code !== 'unrecognized_keys') reported.add(path)
    setting.problems.push(...sentencesOf(issue, schema, setting))
  }
  return undefined
}

export function isSecretName(name: string): boolean {
  return /key|secret|token|password|credential|authorization/i.test(name)
}

/** Of the union's most similar member. */
function concreteIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const [likeliest] = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)
  if (likeliest === undefined || depth(likeliest) < 1) return [issue]
  return likeliest.flatMap((inner) => concreteIssues({ ...inner, path: [...issue.path, ...inner.path] }))
}

function depth(branch: readonly z.core.$ZodIssue[]): number {
  return Math.max(...branch.map(({ path }) => path.length))
}

function sentencesOf(issue: z.core.$ZodIssue, schema: z.ZodType, { where, written }: Setting): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path)
    return issue.keys.map((key) => {
      const renamed = RENAMED[key] ?? ''
      const hint = known.includes(renamed) ? ` Did you mean \`${renamed}\`?` : didYouMean(key, known)
      return `${where([...issue.path, key])} is not a setting.${hint}`
    })
  }
  const value = valueAt(written, issue.path)
  const place = where(issue.path)
  const rule = asRule(issue.message)
  if (value === undefined) return [`${place} is missing; ${rule}.`]
  const hint =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? didYouMean(value, issue.values.map(String))
      : ''
  return [`${place} is ${textOf(value, String(issue.path.at(-1)))}; ${rule}.${hint}`]
}

/** Without credentials. */
function textOf(value: unknown, name: string): string {
  if (isSecretName(name)) return '(hidden)'
  if (typeof value === 'string') return JSON.stringify(shorten(withoutCredentials(value)))
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** Dialects word messages as `must not …` or `Invalid input`. */
function asRule(message: string): string {
  const text = message.replace(/\.$/, '')
  if (text.startsWith('must ')) return `it ${text}`
  return text === 'Invalid input' ? 'it has none of the accepted forms' : text
}

function ruleOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `it must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `it must be ${listText(issue.values.map(String))}`
  if (issue.code === 'too_small') return `it must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'too_big') return `it must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
  if (issue.code === 'invalid_format')
    return `it must be ${FORMATS[issue.format] ?? `of the form ${issue.format}`}`
  return undefined
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
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
  regex: 'in the documented format',
}

/** JSON Schema has none of zod's wrappers. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })
  return Object.keys(valueAt(descend([root], path), ['properties']) ?? {})
}

function descend(branches: readonly unknown[], path: readonly PropertyKey[]): unknown {
  const open = branches.flatMap((branch) => [
    branch,
    ...['anyOf', 'allOf'].flatMap((kind): unknown => valueAt(branch, [kind]) ?? []),
  ])
  const [key, ...rest] = path
  if (key === undefined) return open.find((branch) => valueAt(branch, ['properties']) !== undefined)
  const step = typeof key === 'number' ? ['items'] : ['properties', key]
  const next = open.map((branch) => valueAt(branch, step) ?? valueAt(branch, ['additionalProperties']))
  return descend(
    next.filter((branch) => branch !== undefined),
    rest,
  )
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}

/** `a, b or c`. */
export function listText(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//(hidden)@').replace(/\?.*$/, '?…')
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
