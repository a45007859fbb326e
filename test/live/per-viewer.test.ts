import {
  buildSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  parse,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { groupKeyOf } from '../../src/http/graphql/live/sharing.ts'
import { toSharedContext, type Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import { isPerViewer } from '../../src/schema/per-viewer.ts'
import { operatorOf } from '../../src/engine/access/access.ts'

/** Stands for any value: it has every property, and can be called. */
const anything: object = new Proxy(() => anything, {
  get: (_, name) => (name === 'then' || typeof name === 'symbol' ? undefined : anything),
  apply: () => anything,
})

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every other property of the context is anything
const context = new Proxy({} as Context, {
  get: (_, name) =>
    name === 'caller' ? operatorOf('prj_A') : name === 'publicUrl' ? 'http://here' : anything,
})

/** The object types that a subscription can select, without the root. */
function reachableTypes(of: GraphQLSchema): GraphQLObjectType[] {
  const found = new Set<GraphQLNamedType>()
  const add = (type: GraphQLNamedType): void => {
    if (found.has(type)) return
    if (isUnionType(type) || isInterfaceType(type)) of.getPossibleTypes(type).forEach(add)
    if (!isObjectType(type)) return
    found.add(type)
    for (const field of Object.values(type.getFields())) add(getNamedType(field.type))
  }
  for (const field of Object.values(of.getSubscriptionType()!.getFields())) add(getNamedType(field.type))
  return [...found].filter(isObjectType)
}

/** Whether a resolver reads more of the caller than its rights. */
async function readsViewer({ resolve }: Pick<GraphQLField<unknown, Context>, 'resolve'>): Promise<boolean> {
  try {
    await resolve?.(anything, anything, toSharedContext(context), anything as never)
    return false
  } catch (error) {
    return error instanceof Error && error.message.includes('lacks the mark perViewer')
  }
}

describe('a field that a subscription can select', () => {
  it('reads no more of the caller than its rights, or is marked', async () => {
    const types = reachableTypes(schema)
    const fields = types.flatMap((type) =>
      Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field] as const),
    )
    expect(fields.length).toBeGreaterThan(100)
    const unmarked: string[] = []
    for (const [name, field] of fields)
      if (!isPerViewer(field) && (await readsViewer(field))) unmarked.push(name)
    expect(unmarked).toEqual([])
  })

  it.each([
    { reads: 'the key', resolve: (_: unknown, __: unknown, { caller }: Context) => caller.apiKeyId },
    { reads: 'the limits', resolve: (_: unknown, __: unknown, { caller }: Context) => caller.limits },
    { reads: 'the address', resolve: (_: unknown, __: unknown, one: Context) => one.clientAddress },
    { reads: 'the idempotency key', resolve: (_: unknown, __: unknown, one: Context) => one.idempotencyKey },
  ])('is found if it reads $reads of the caller', async ({ resolve }) => {
    expect(await readsViewer({ resolve })).toBe(true)
  })
})

describe('the key of a group', () => {
  const own = buildSchema(`
    type Query { a: Int }
    type Event { common: Int own: Int at(after: String): Int }
    type Subscription { events(filter: String, after: String): Event }
  `)
  const event = own.getType('Event')
  if (isObjectType(event)) event.getFields()['own']!.extensions = { perViewer: true }
  const documents = new Map<string, ReturnType<typeof parse>>()
  function keyOf(text: string, variableValues: object = {}, caller: object = {}, publicUrl = 'http://here') {
    const document = documents.get(text) ?? parse(text)
    documents.set(text, document)
    const access = { ...operatorOf('prj_A'), ...caller }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the key depends on
    const contextValue = { caller: access, publicUrl } as Context
    return groupKeyOf({ schema: own, document, variableValues: { ...variableValues }, contextValue })
  }
  const WATCH =
    'subscription ($filter: String, $after: String) { events(filter: $filter, after: $after) { common } }'

  it('is the same for viewers that differ in their position and their API key', () => {
    expect(keyOf(WATCH, { after: 'a' })).toBe(keyOf(WATCH, { after: 'b' }, { apiKeyId: 'key_1' }))
    expect(keyOf(WATCH, { after: 'a' })).toBe(keyOf(WATCH))
  })

  it('differs between texts, variables, projects, rights and public URLs', () => {
    const keys = [
      keyOf(WATCH),
      keyOf(`${WATCH} `),
      keyOf(WATCH, { filter: 'x' }),
      keyOf(WATCH, { filter: null }),
      keyOf(WATCH, {}, { projectId: 'prj_B' }),
      keyOf(WATCH, {}, { scopes: new Set(['READ']) }),
      keyOf(WATCH, {}, { operator: false }),
      keyOf(WATCH, {}, {}, 'http://there'),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('contains a position that is used for more than the start', () => {
    const text = 'subscription ($after: String) { events(after: $after) { at(after: $after) } }'
    expect(keyOf(text, { after: 'a' })).not.toBe(keyOf(text, { after: 'b' }))
  })

  it('does not exist for a document with a marked field, also in a fragment', () => {
    expect(keyOf('subscription { events { own } }')).toBeUndefined()
    expect(keyOf('subscription { events { ...F } } fragment F on Event { common own }')).toBeUndefined()
    expect(keyOf('subscription { events { common } }')).toBeDefined()
  })
})
