import { readFile } from 'node:fs/promises'
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  type DirectiveNode,
  type DocumentNode,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../src/schema/index.ts'
import { PROMISED } from './schema/promised.ts'

const printed = `${printSchema(lexicographicSortSchema(schema))}\n`

describe('the schema', () => {
  it('is printed in schema.graphql, byte for byte', async () => {
    const stored = await readFile(new URL('../schema.graphql', import.meta.url), 'utf8')
    expect(stored === printed, 'schema.graphql differs from the schema: run `npm run schema`').toBe(true)
  })

  it('names the specification of each scalar that has one', () => {
    const own = Object.values(schema.getTypeMap()).filter(
      (type) => isScalarType(type) && !isSpecifiedScalarType(type),
    )
    const withoutUrl = own.filter((type) => isScalarType(type) && !URL.canParse(type.specifiedByURL ?? ''))
    expect(own.length).toBeGreaterThan(5)
    expect(withoutUrl.map(({ name }) => name)).toEqual(['ImageSize'])
  })

  it('has every name that clients rely on, with its type, arguments and defaults', () => {
    const actual = new Set(linesOf(parse(printed)))
    const missing = linesOf(parse(PROMISED)).filter((line) => !actual.has(line))
    expect(missing).toEqual([])
  })

  it('has no root field besides the promised ones', () => {
    expect(roots(parse(printed)).toSorted()).toEqual(roots(parse(PROMISED)).toSorted())
  })

  it('describes every type, field, argument, enum value, input field and directive in short sentences', () => {
    const problems = members().flatMap(({ path, description }) =>
      problemsOf(description).map((problem) => `${path}: ${problem}`),
    )
    expect(problems).toEqual([])
  })

  it('adds a fact with every description instead of repeating the name', () => {
    const empty = members().filter(({ description, words }) => factsIn(description, words).length === 0)
    expect(empty.map(({ path, description }) => `${path}: ${description}`)).toEqual([])
  })

  it('names the required scope in the description of every root field', () => {
    const types = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
    const silent = types
      .flatMap((type) => Object.values(type?.getFields() ?? {}))
      .filter(({ description, extensions: { scope } }) => {
        const others: Record<string, string> = { OPERATOR: 'Operators only.', ANY: 'For every caller.' }
        const sentence = others[String(scope)] ?? `Requires the scope ${String(scope)}.`
        return !description?.endsWith(sentence)
      })
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it.each([
    ['', 'fewer than three words'],
    ['The status', 'fewer than three words'],
    ['State of a task', 'no period at the end'],
    [`${'Very '.repeat(25)}long sentence.`, 'a sentence of 27 words'],
    ['Id of the request at the upstream.', 'the term "upstream"'],
    ['Pass it to resume behind this event.', 'the term "behind this"'],
  ])('is tested to refuse the description "%s"', (description, problem) => {
    expect(problemsOf(description)).toContain(problem)
  })

  it('is tested to refuse a description that only repeats the name', () => {
    expect(factsIn('The status of the task.', ['task', 'status'])).toEqual([])
    expect(factsIn('Where it stands.', ['task', 'status'])).toEqual([])
    expect(factsIn('In pixels.', ['image', 'width'])).toEqual(['pixels'])
  })

  it('writes enum values in capitals, and fields, arguments and types in camel case', () => {
    const wrong = members().filter(({ kind, name }) => !CASES[kind].test(name))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('says the unit in the name: At for moments, Micros for money, Ms for durations', () => {
    const wrong = members().filter(({ kind, name, type }) => {
      if (kind !== 'member' || type === undefined) return false
      const moment = type.includes('DateTime') !== /(^at|^from|^to|At|From|To|Completion)$/.test(name)
      // Numbers of tokens and bytes, and durations of years, are as large as sums of money.
      const count = type.includes('BigInt') && /Tokens$|Bytes|Ms$/.test(name)
      const money = type.includes('BigInt') !== name.endsWith('Micros') && !count
      const duration =
        /(duration|timeout|delay|interval)$/i.test(name) || (name.endsWith('Ms') && !/Int|Float/.test(type))
      return moment || money || duration
    })
    expect(wrong.map(({ path, type }) => `${path}: ${type}`)).toEqual([])
  })

  it('takes exactly one way to give an input image', () => {
    expect(schema.getType('ImageInput')).toMatchObject({ isOneOf: true })
  })
})

function roots(document: DocumentNode): string[] {
  return linesOf(document).filter((line) => /^(Query|Mutation|Subscription)\./.test(line))
}

/** A schema as lines such as `Query.task(id: ID!): Task`, `Style.VIVID`, `Task implements Node`. */
function linesOf(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) => {
    if (!('name' in definition) || !definition.name) return []
    const name = definition.name.value
    const directives: readonly DirectiveNode[] =
      'directives' in definition ? (definition.directives ?? []) : []
    const lines = directives.map((directive) => `${name} ${print(directive)}`)
    if ('interfaces' in definition)
      lines.push(...(definition.interfaces ?? []).map((one) => `${name} implements ${one.name.value}`))
    if ('values' in definition)
      lines.push(...(definition.values ?? []).map((value) => `${name}.${value.name.value}`))
    if ('fields' in definition) {
      for (const field of definition.fields ?? []) {
        const args =
          'arguments' in field
            ? (field.arguments ?? []).map((arg) => print({ ...arg, description: undefined }))
            : []
        const standard =
          'defaultValue' in field && field.defaultValue ? ` = ${print(field.defaultValue)}` : ''
        lines.push(
          `${name}.${field.name.value}(${args.toSorted().join(', ')}): ${print(field.type)}${standard}`,
        )
      }
    }
    return lines
  })
}

interface Member {
  kind: 'type' | 'member' | 'value' | 'directive'
  path: string
  name: string
  description: string
  /** Undefined for types and enum values. */
  type: string | undefined
  /** The words of its own name, of what it belongs to and of its type. */
  words: string[]
}

const CASES = {
  type: /^[A-Z][a-zA-Z0-9]*$/,
  member: /^[a-z][a-zA-Z0-9]*$/,
  value: /^[A-Z][A-Z0-9_]*$/,
  directive: /^[a-z][a-zA-Z0-9]*$/,
}

/** Every element of the schema that has a description, built-in scalars and introspection excluded. */
function members(): Member[] {
  const directives = schema
    .getDirectives()
    .flatMap(({ name, description, args }) => [
      member('directive', `@${name}`, name, description),
      ...args.map((arg) => member('member', `@${name}(${arg.name})`, arg.name, arg.description)),
    ])
  return [...directives, ...membersOfTypes()]
}

function membersOfTypes(): Member[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (/^(__|Boolean$|Float$|ID$|Int$|String$)/.test(type.name)) return []
    const list = [member('type', type.name, type.name, type.description)]
    if (isEnumType(type)) {
      for (const { name, description } of type.getValues())
        list.push(member('value', `${type.name}.${name}`, name, description))
    }
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        const path = `${type.name}.${field.name}`
        list.push(member('member', path, field.name, field.description, String(field.type)))
        for (const arg of 'args' in field ? field.args : []) {
          list.push(member('member', `${path}(${arg.name})`, arg.name, arg.description, String(arg.type)))
        }
      }
    }
    return list
  })
}

function member(
  kind: Member['kind'],
  path: string,
  name: string,
  description: string | null | undefined,
  type?: string,
): Member {
  return {
    kind,
    path,
    name,
    type,
    description: description ?? '',
    words: wordsOf(`${path} ${type ?? ''}`),
  }
}

const MAX_SENTENCE_WORDS = 25

/** Other words for provider, image, partial image and after; test/language.test.ts has the words that no text may use. */
const OTHER_TERMS = /\b(?:upstreams?|pictures?|previews?|behind (?!the subject)\w+)/i

/** What is wrong with the language of a description. */
function problemsOf(description: string): string[] {
  const sentences = description.split(/(?<=\.)\s+/)
  const term = OTHER_TERMS.exec(description)?.[0]
  return [
    ...(description.split(/\s+/).length < 3 ? ['fewer than three words'] : []),
    ...(/^\S[^]*\.$/.test(description) ? [] : ['no period at the end']),
    ...sentences
      .map((sentence) => sentence.split(/\s+/).length)
      .filter((length) => length > MAX_SENTENCE_WORDS)
      .map((length) => `a sentence of ${length} words`),
    ...(term === undefined ? [] : [`the term "${term}"`]),
  ]
}

const FILLERS = new Set(
  `a an the of this that these those it its is are was were be been to in on for by with and or as at from which what
  whether when where who how one some any all has have had do does will would can may shall said itself themselves
  value kind type field object thing data stand given asked about`.split(/\s+/),
)

/** The words of a description that neither fill nor repeat. */
function factsIn(description: string, own: string[]): string[] {
  const repeated = new Set(own.map(stem))
  return wordsOf(description).filter(
    (word) => !FILLERS.has(word) && !FILLERS.has(stem(word)) && !repeated.has(stem(word)),
  )
}

function wordsOf(text: string): string[] {
  const apart = text.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
  return (apart.match(/[A-Za-z0-9]+/g) ?? []).map((word) => word.toLowerCase())
}

function stem(word: string): string {
  return word.replace(/(?:ing|ed|es|s)$/, '')
}
