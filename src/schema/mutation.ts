import type { FieldMap, InputFieldMap, InputShapeFromFields } from '@pothos/core'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import type { requires } from './scopes.ts'

type Types = typeof builder.$inferSchemaTypes

interface Mutation<Fields extends InputFieldMap, Payload extends object> {
  /** From `requires`. */
  right: ReturnType<typeof requires>
  input: {
    description: string
    fields: (t: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>) => Fields
  }
  resolve: (input: InputShapeFromFields<Fields>, context: Context) => Promise<Payload> | Payload
  /**
   * Nullable, except for values that cannot fail and only this call knows, such as a secret: they survive a
   * failed sibling.
   */
  payload: (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>) => FieldMap
  /** How often a bulk mutation may resolve each payload field. Default once. */
  multiplier?: (input: InputShapeFromFields<Fields>) => number
}

/** Declares `name(input: NameInput!): NamePayload`, null after an error. Returns the input's type. */
export function mutation<Fields extends InputFieldMap, Payload extends object>(
  name: string,
  { right, input, resolve, payload, multiplier = () => 1 }: Mutation<Fields, Payload>,
) {
  const prefix = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
  const InputType = builder.inputType(`${prefix}Input`, input)
  const PayloadRef = builder.objectRef<Payload>(`${prefix}Payload`).implement({
    description: `Result of ${name}. A nullable field is also null if reading it failed, with an entry in \`errors\`.`,
    fields: payload,
  })
  builder.mutationField(name, (t) =>
    t.field({
      type: PayloadRef,
      nullable: true,
      ...right,
      args: { input: t.arg({ type: InputType, required: true, description: input.description }) },
      complexity: (args) => ({ multiplier: multiplier(inputOf<Fields>(args)) }),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Pothos cannot derive it from a type parameter
      resolve: (_, args, context) => resolve(inputOf<Fields>(args), context) as never,
    }),
  )
  return InputType
}

function inputOf<Fields extends InputFieldMap>(args: object): InputShapeFromFields<Fields> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return (args as { input: InputShapeFromFields<Fields> }).input
}
