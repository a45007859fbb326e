import {
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql'
import { badInput } from '../errors.ts'
import { isStorable } from '../text.ts'
import type { Context } from './context.ts'

type Resolver = GraphQLFieldResolver<unknown, Context>

/**
 * Refuses text that no database can store before resolvers read it: BAD_USER_INPUT with the argument's path.
 * An ID may be any text: it then names nothing.
 */
export function withStorableArguments(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap()))
    if (isObjectType(type)) for (const field of Object.values(type.getFields())) checkArguments(field)
  return schema
}

function checkArguments(field: GraphQLField<unknown, Context>): void {
  if (field.args.length === 0) return
  const checked =
    (resolver: Resolver): Resolver =>
    (source, args: Record<string, unknown>, context, info) => {
      for (const { name, type } of field.args) check(args[name], type, name === 'input' ? [] : [name])
      return resolver(source, args, context, info)
    }
  // Subscriptions resolve each event with the same arguments.
  if (field.subscribe) field.subscribe = checked(field.subscribe)
  else if (field.resolve) field.resolve = checked(field.resolve)
}

function check(value: unknown, type: GraphQLInputType, path: readonly (string | number)[]): void {
  if (value === null || value === undefined) return
  if (isNonNullType(type)) return check(value, type.ofType, path)
  if (isListType(type) && Array.isArray(value)) {
    for (const [i, item] of value.entries()) check(item, type.ofType, [...path, i])
    return
  }
  if (isInputObjectType(type)) {
    for (const { name, type: fieldType } of Object.values(type.getFields()))
      check(Reflect.get(Object(value), name), fieldType, [...path, name])
    return
  }
  if (typeof value !== 'string' || getNamedType(type).name === 'ID' || isStorable(value)) return
  const name = path.join('.')
  throw badInput(name, `${name} is not valid text: it contains NUL or half of a surrogate pair.`)
}
