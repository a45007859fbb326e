// GraphQL documents out of our own schema: valid in form, with arguments of every kind, sometimes nonsense.
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
import type { Chance } from '../storm/chance.ts'
import { anyJson, anyNumber, anyText } from './values.ts'

export interface Operation {
  query: string
  variables: Record<string, unknown>
}

type Kind = 'query' | 'mutation' | 'subscription'

/** One operation, its arguments partly as literals and partly in variables. */
export function anyOperation(chance: Chance, schema: GraphQLSchema, kind: Kind): Operation {
  const root = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[kind]
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const depth = Math.ceil(chance.between(1, 9))

  /** A literal, or a variable that is declared on the way. */
  function argument(type: GraphQLInputType): string {
    if (chance.next() < 0.5) return literal(chance, type, 4)
    const name = `v${declared.length}`
    declared.push(`$${name}: ${String(type)}`)
    if (chance.next() < 0.95) variables[name] = value(chance, type, 4)
    return `$${name}`
  }

  function field({ name, args, type }: GraphQLField<unknown, unknown>, left: number): string {
    const given = args
      .filter((arg) => (isNonNullType(arg.type) ? chance.next() < 0.97 : chance.next() < 0.4))
      .map((arg) => `${arg.name}: ${argument(arg.type)}`)
    const alias = chance.next() < 0.03 ? `${chance.pick(['a', 'b', 'c'])}: ` : ''
    const directive =
      chance.next() < 0.03 ? chance.pick([' @skip(if: false)', ' @include(if: true)', ' @nothing']) : ''
    const named = getNamedType(type)
    const inner = isLeafType(named) ? '' : ` ${selection(named, left - 1)}`
    return `${alias}${name}${given.length > 0 ? `(${given.join(', ')})` : ''}${directive}${inner}`
  }

  function selection(type: GraphQLNamedType, left: number): string {
    if (isAbstractType(type) && chance.next() < 0.5) {
      const one = chance.pick(schema.getPossibleTypes(type))
      return `{ __typename ... on ${one.name} ${selection(one, left)} }`
    }
    if (!('getFields' in type)) return '{ __typename }'
    const fields = Object.values(type.getFields()).filter(isOutputField)
    const leaves = fields.filter((one) => isLeafType(getNamedType(one.type)))
    const from = left > 0 ? fields : leaves
    if (from.length === 0) return '{ __typename }'
    const chosen = Array.from({ length: Math.ceil(chance.between(0, 4)) }, () => chance.pick(from))
    return `{ ${chosen.map((one) => field(one, left)).join(' ')} }`
  }

  const body = root && isObjectType(root) ? selectionOfRoot() : '{ __typename }'
  function selectionOfRoot(): string {
    const fields = Object.values(root!.getFields())
    const count = kind === 'subscription' || chance.next() < 0.8 ? 1 : Math.ceil(chance.between(1, 4))
    return `{ ${Array.from({ length: count }, () => field(chance.pick(fields), depth)).join(' ')} }`
  }
  const head = declared.length > 0 ? ` Fuzz(${declared.join(', ')})` : ''
  const query = `${kind}${head} ${body}`
  return { query: chance.next() < 0.1 ? pretty(query) : query, variables }
}

function isOutputField(field: object): field is GraphQLField<unknown, unknown> {
  return 'args' in field
}

/** Printed by GraphQL itself, where it can read it. */
function pretty(query: string): string {
  try {
    return print(parse(query))
  } catch {
    return query
  }
}

/** A value as JSON: mostly of the type, sometimes anything. */
function value(chance: Chance, type: GraphQLInputType, depth: number): unknown {
  if (chance.next() < 0.05) return anyJson(chance, 2)
  if (isNonNullType(type)) return value(chance, type.ofType, depth)
  if (chance.next() < 0.05) return null
  if (isListType(type))
    return Array.from({ length: Math.floor(chance.between(0, 4)) }, () =>
      value(chance, type.ofType, depth - 1),
    )
  if (isEnumType(type)) return chance.next() < 0.95 ? chance.pick(type.getValues()).name : anyText(chance)
  if (isInputObjectType(type)) {
    if (depth <= 0) return {}
    const fields = Object.values(type.getFields())
    const chosen = type.isOneOf
      ? [chance.pick(fields)]
      : fields.filter((field) => isNonNullType(field.type) || chance.next() < 0.15)
    return Object.fromEntries(chosen.map((field) => [field.name, value(chance, field.type, depth - 1)]))
  }
  return isScalarType(type) ? scalar(chance, type.name) : null
}

function scalar(chance: Chance, name: string): unknown {
  if (name === 'Int') return Math.trunc(chance.next() < 0.7 ? chance.between(-2, 12) : anyNumber(chance))
  if (name === 'Float') return anyNumber(chance)
  if (name === 'Boolean') return chance.next() < 0.5
  return chance.next() < 0.9 ? anyText(chance) : anyNumber(chance)
}

/** The same as it would be written into a document. */
function literal(chance: Chance, type: GraphQLInputType, depth: number): string {
  return toLiteral(value(chance, type, depth), type)
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
