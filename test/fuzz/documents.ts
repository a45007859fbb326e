// Random GraphQL documents of the schema, with arguments that are mostly of the declared type.
import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  print,
  parse,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql'
import type { Random } from '../support/random.ts'
import { randomJson, randomNumber, randomText } from './values.ts'

export interface Operation {
  query: string
  variables: Record<string, unknown>
}

type Kind = 'query' | 'mutation' | 'subscription'

/** An operation with arguments as literals and in variables. */
export function randomOperation(random: Random, schema: GraphQLSchema, kind: Kind): Operation {
  const root = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[kind]
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const depth = Math.ceil(random.between(1, 9))

  /** A literal, or a variable, which is declared. */
  function argument(type: GraphQLInputType): string {
    if (random.next() < 0.5) return literal(random, type, 4)
    const name = `v${declared.length}`
    declared.push(`$${name}: ${String(type)}`)
    if (random.next() < 0.95) variables[name] = value(random, type, 4)
    return `$${name}`
  }

  function field({ name, args, type }: GraphQLField<unknown, unknown>, left: number): string {
    const given = args
      .filter((arg) => (isNonNullType(arg.type) ? random.next() < 0.97 : random.next() < 0.4))
      .map((arg) => `${arg.name}: ${argument(arg.type)}`)
    const alias = random.next() < 0.03 ? `${random.pick(['a', 'b', 'c'])}: ` : ''
    const directive =
      random.next() < 0.03 ? random.pick([' @skip(if: false)', ' @include(if: true)', ' @nothing']) : ''
    const named = getNamedType(type)
    const inner = isLeafType(named) ? '' : ` ${selection(named, left - 1)}`
    return `${alias}${name}${given.length > 0 ? `(${given.join(', ')})` : ''}${directive}${inner}`
  }

  function selection(type: GraphQLNamedType, left: number): string {
    if (isAbstractType(type) && random.next() < 0.5) {
      const one = random.pick(schema.getPossibleTypes(type))
      return `{ __typename ... on ${one.name} ${selection(one, left)} }`
    }
    if (!('getFields' in type)) return '{ __typename }'
    const fields = Object.values(type.getFields()).filter(isOutputField)
    const leaves = fields.filter((one) => isLeafType(getNamedType(one.type)))
    const from = left > 0 ? fields : leaves
    if (from.length === 0) return '{ __typename }'
    const chosen = Array.from({ length: Math.ceil(random.between(0, 4)) }, () => random.pick(from))
    return `{ ${chosen.map((one) => field(one, left)).join(' ')} }`
  }

  const body = root && isObjectType(root) ? selectionOfRoot() : '{ __typename }'
  function selectionOfRoot(): string {
    const fields = Object.values(root!.getFields())
    const count = kind === 'subscription' || random.next() < 0.8 ? 1 : Math.ceil(random.between(1, 4))
    return `{ ${Array.from({ length: count }, () => field(random.pick(fields), depth)).join(' ')} }`
  }
  const head = declared.length > 0 ? ` Fuzz(${declared.join(', ')})` : ''
  const query = `${kind}${head} ${body}`
  return { query: random.next() < 0.1 ? pretty(query) : query, variables }
}

function isOutputField(field: object): field is GraphQLField<unknown, unknown> {
  return 'args' in field
}

/** Formatted by graphql, if it is valid. */
function pretty(query: string): string {
  try {
    return print(parse(query))
  } catch {
    return query
  }
}

/** A value as JSON, mostly of the type. */
function value(random: Random, type: GraphQLInputType, depth: number): unknown {
  if (random.next() < 0.05) return randomJson(random, 2)
  if (isNonNullType(type)) return value(random, type.ofType, depth)
  if (random.next() < 0.05) return null
  if (isListType(type))
    return Array.from({ length: Math.floor(random.between(0, 4)) }, () =>
      value(random, type.ofType, depth - 1),
    )
  if (isEnumType(type)) return random.next() < 0.95 ? random.pick(type.getValues()).name : randomText(random)
  if (isInputObjectType(type)) {
    if (depth <= 0) return {}
    const fields = Object.values(type.getFields())
    const chosen = type.isOneOf
      ? [random.pick(fields)]
      : fields.filter((field) => isNonNullType(field.type) || random.next() < 0.15)
    return Object.fromEntries(chosen.map((field) => [field.name, value(random, field.type, depth - 1)]))
  }
  return isScalarType(type) ? scalar(random, type.name) : null
}

function scalar(random: Random, name: string): unknown {
  if (name === 'Int') return Math.trunc(random.next() < 0.7 ? random.between(-2, 12) : randomNumber(random))
  if (name === 'Float') return randomNumber(random)
  if (name === 'Boolean') return random.next() < 0.5
  return random.next() < 0.9 ? randomText(random) : randomNumber(random)
}

/** A value as a literal of a document. */
function literal(random: Random, type: GraphQLInputType, depth: number): string {
  return toLiteral(value(random, type, depth), type)
}

function toLiteral(given: unknown, type: GraphQLInputType | undefined): string {
  const named = type && getNamedType(type)
  if (isEnumType(named) && typeof given === 'string' && /^[A-Z_]+$/.test(given)) return given
  if (Array.isArray(given)) return `[${given.map((one) => toLiteral(one, type)).join(', ')}]`
  if (typeof given === 'object' && given !== null) {
    const fields = isInputObjectType(named) ? named.getFields() : {}
    const entries = Object.entries(given).filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    return `{${entries.map(([name, one]) => `${name}: ${toLiteral(one, fields[name]?.type)}`).join(', ')}}`
  }
  return JSON.stringify(given) ?? 'null'
}
