// Fields that return a property as it is: names and descriptions by GraphQL type.
import type { builder } from './builder.ts'

type Types = typeof builder.$inferSchemaTypes
type FieldBuilder<Row> = PothosSchemaTypes.FieldBuilder<Types, Row, 'Object' | 'Interface'>
type Fields<Name extends string> = Record<Name, ReturnType<FieldBuilder<object>['field']>>

interface ScalarValues {
  String: string
  Int: number
  Float: number
  Boolean: boolean
  DateTime: number
  URL: string
  BigInt: number
  ImageSize: string
}

type FieldType = keyof ScalarValues | { $inferType: unknown } | [{ $inferType: unknown }]

type ValueOf<Type> = Type extends keyof ScalarValues
  ? ScalarValues[Type]
  : Type extends [{ $inferType: infer Item }]
    ? readonly Item[]
    : Type extends { $inferType: infer Value }
      ? Value
      : never

type NamesOf<Row, Value> = {
  [Name in keyof Row]-?: Row[Name] extends Value ? Name : never
}[keyof Row] &
  string

/** Non-null, of one type, by name and description. */
export function exposeAll<Row, Type extends FieldType, Name extends NamesOf<Row, ValueOf<Type>>>(
  t: FieldBuilder<Row>,
  type: Type,
  descriptions: Readonly<Record<Name, string>>,
): Fields<Name> {
  return build(t, { type, nullable: false }, descriptions)
}

/** Nullable. */
export function exposeNullable<
  Row,
  Type extends FieldType,
  Name extends NamesOf<Row, ValueOf<Type> | null | undefined>,
>(t: FieldBuilder<Row>, type: Type, descriptions: Readonly<Record<Name, string>>): Fields<Name> {
  return build(t, { type, nullable: true }, descriptions)
}

function build<Row, Name extends string>(
  t: FieldBuilder<Row>,
  options: { type: FieldType; nullable: boolean },
  descriptions: Readonly<Record<Name, string>>,
): Fields<Name> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the callers' types are what Pothos would check
  const row = t as unknown as { expose(name: string, options: object): Fields<Name>[Name] }
  const fields = Object.entries(descriptions).map(([name, description]) => [
    name,
    row.expose(name, { ...options, description }),
  ])
  return Object.fromEntries(fields)
}
