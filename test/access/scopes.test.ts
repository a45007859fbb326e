import { isNonNullType, type GraphQLField, type GraphQLObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCOPES } from '../../src/domain.ts'
import { schema } from '../../src/schema/index.ts'
import { missingRight, rightOf, withRights } from '../../src/schema/scopes.ts'
import { GraphQLObjectType as ObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql'
import { createClient, type Result } from '../support/client.ts'
import { firstOf, pause } from './first-of.ts'
import { ADMIN_KEY, bearer, openKeyed, type Keyed } from './keyed.ts'

const ROOTS = {
  query: schema.getQueryType()!,
  mutation: schema.getMutationType()!,
  subscription: schema.getSubscriptionType()!,
}

/** Every root field there is, with an operation that asks for it and lacks its variables, so that nothing is done. */
const FIELDS = Object.entries(ROOTS).flatMap(([kind, type]: [string, GraphQLObjectType]) =>
  Object.values(type.getFields()).map((field) => ({
    kind,
    name: field.name,
    right: rightOf(field),
    query: operationOf(kind, field),
  })),
)

function operationOf(kind: string, { name, args, type }: GraphQLField<unknown, unknown>): string {
  const needed = args.filter((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined)
  const definitions = needed.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ')
  const values = needed.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  const selection = /^(String|ID|Int|Float|Boolean|URL|BigInt)!?$/.test(String(type)) ? '' : '{ __typename }'
  const [head, call] = needed.length > 0 ? [`(${definitions})`, `(${values})`] : ['', '']
  return `${kind} ${head} { ${name}${call} ${selection} }`
}

describe('every root field', () => {
  it('says which right it needs', () => {
    expect(FIELDS.filter(({ right }) => right === undefined)).toEqual([])
    expect(FIELDS.length).toBeGreaterThan(25)
  })

  it('that costs money needs GENERATE, and none that changes anything is content with READ or REPORT', () => {
    for (const { name, right } of FIELDS.filter(({ kind }) => kind === 'mutation')) {
      const { extensions } = ROOTS.mutation.getFields()[name]!
      const allowed = extensions['paid'] === true ? ['GENERATE'] : ['GENERATE', 'ADMIN', 'OPERATOR']
      expect([name, allowed.includes(right!)]).toEqual([name, true])
    }
  })

  it('would stop the start if it did not say so', () => {
    const query = new ObjectType({ name: 'Query', fields: { secrets: { type: GraphQLString } } })
    expect(() => withRights(new GraphQLSchema({ query }))).toThrow('Query.secrets lacks extensions.scope')
  })
})

describe('a right that is missing', () => {
  const nobody = { scopes: new Set<never>(), operator: false }
  const reader = { scopes: new Set(['READ'] as const), operator: false }

  it.each([
    ['under an alias', 'mutation { x: cancelTask(id: "1") { id } }', 'cancelTask needs the scope GENERATE'],
    [
      'through a fragment',
      'query { ...F } fragment F on Query { ...G } fragment G on Query { projects { id } }',
      'projects is for operators',
    ],
    [
      'in an inline fragment',
      '{ ... on Query { ... @include(if: true) { projects { id } } } }',
      'projects is for operators',
    ],
    [
      'in one of two operations',
      'query A { task(id: "1") { id } } mutation B { deleteWebhook(id: "1") { id } }',
      'deleteWebhook needs the scope ADMIN',
    ],
    [
      'in a part that may be left out',
      'query ($no: Boolean = false) { projects @include(if: $no) { id } }',
      'projects is for operators',
    ],
    ['behind one that is there', '{ task(id: "1") { id } projects { id } }', 'projects is for operators'],
  ])('is found %s', (_, text, sentence) => {
    const operationName = text.includes('mutation B') ? 'B' : undefined
    expect(missingRight({ schema, document: parse(text), operationName }, reader)).toContain(sentence)
  })

  it('is never that of what only GraphQL itself answers', () => {
    expect(
      missingRight({ schema, document: parse('{ __typename __schema { description } }') }, nobody),
    ).toBeUndefined()
  })

  it('is looked up anew for each caller of one document', () => {
    const asked = { schema, document: parse('{ tasks { nodes { id } } }') }
    expect(missingRight(asked, nobody)).toBeDefined()
    expect(missingRight(asked, reader)).toBeUndefined()
    expect(missingRight(asked, nobody)).toBeDefined()
  })
})

describe('over a real connection', () => {
  let keyed: Keyed
  const keys = new Map<string, string>()
  beforeAll(async () => {
    keyed = await openKeyed()
    for (const scope of SCOPES) keys.set(scope, (await keyed.newKey({ scopes: [scope] })).key)
    keys.set('OPERATOR', ADMIN_KEY)
  })
  afterAll(() => keyed[Symbol.asyncDispose]())

  it.each([...SCOPES, 'OPERATOR'])(
    'with %s alone, each field is allowed or refused with 403 as it says',
    async (holder) => {
      for (const { name, kind, query, right } of FIELDS) {
        const response = await fetch(`${keyed.url}/graphql`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: kind === 'subscription' ? 'text/event-stream' : 'application/json',
            ...bearer(keys.get(holder)!),
          },
          body: JSON.stringify({ query }),
        })
        const text = await firstOf(response)
        const told = text.includes('"FORBIDDEN"') && (kind === 'subscription' || response.status === 403)
        expect([name, told]).toEqual([name, !isAllowed(holder, right)])
      }
    },
  )

  it.each([...SCOPES, 'OPERATOR'])('with %s alone, the same holds over a WebSocket', async (holder) => {
    const client = createClient(keyed.url, bearer(keys.get(holder)!))
    const refused: string[] = []
    for (const { name, query } of FIELDS) {
      const watching = client.watch('WebSocket', query)
      // graphql-ws throws what was refused before it ran.
      const first = await Promise.race([watching.next().catch((error: unknown) => error), pause()])
      if (JSON.stringify(first ?? null).includes('"FORBIDDEN"')) refused.push(name)
      void watching.return?.()
    }
    const wanted = FIELDS.filter(({ right }) => !isAllowed(holder, right)).map(({ name }) => name)
    expect(refused).toEqual(wanted)
  })

  it('names the scope that is needed, and those that are there', async () => {
    const client = createClient(keyed.url, bearer(keys.get('READ')!))
    const { data, errors }: Result<unknown> = await client.ask(
      'mutation { generateImage(input: { prompt: "x" }) { id } }',
    )
    expect(data).toBeUndefined()
    expect(errors).toEqual([
      {
        message: 'generateImage needs the scope GENERATE; this API key has READ.',
        extensions: { code: 'FORBIDDEN' },
      },
    ])
  })

  it('runs nothing of an operation of which a part is refused', async () => {
    const client = createClient(keyed.url, bearer(keys.get('GENERATE')!))
    const { errors } = await client.ask(
      'mutation { generateImage(input: { prompt: "x" }) { id } createApiKey(input: { name: "x" }) { key } }',
    )
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    const { tasks } = await keyed
      .operator()
      .get<{ tasks: { nodes: unknown[] } }>('{ tasks { nodes { id } } }')
    expect(tasks.nodes).toEqual([])
  })
})

/** The operator has every scope; a key has none but its own. */
function isAllowed(holder: string, right: string | undefined): boolean {
  return holder === right || holder === 'OPERATOR'
}
