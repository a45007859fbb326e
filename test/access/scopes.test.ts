import { isNonNullType, type GraphQLField, type GraphQLObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCOPES } from '../../src/domain.ts'
import { schema } from '../../src/schema/index.ts'
import { missingRight, rightOf, withRights } from '../../src/schema/scopes.ts'
import { GraphQLObjectType as ObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql'
import { createClient, type Result } from '../support/client.ts'
import { readFirstResult, waitForTimeout } from './first-result.ts'
import { ADMIN_KEY, bearer, openGatewayWithKeys, type GatewayWithKeys } from './gateway-with-keys.ts'

const ROOTS = {
  query: schema.getQueryType()!,
  mutation: schema.getMutationType()!,
  subscription: schema.getSubscriptionType()!,
}

/** Every root field, with an operation that requests it without its variables, so that nothing is executed. */
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
  it('declares the scope it needs', () => {
    expect(FIELDS.filter(({ right }) => right === undefined)).toEqual([])
    expect(FIELDS.length).toBeGreaterThan(25)
  })

  it('needs GENERATE if it is paid, and more than READ or REPORT if it is a mutation', () => {
    for (const { name, right } of FIELDS.filter(({ kind }) => kind === 'mutation')) {
      const { extensions } = ROOTS.mutation.getFields()[name]!
      const allowed = extensions['paid'] === true ? ['GENERATE'] : ['GENERATE', 'ADMIN', 'OPERATOR']
      expect([name, allowed.includes(right!)]).toEqual([name, true])
    }
  })

  it('prevents the start if it declares no scope', () => {
    const query = new ObjectType({ name: 'Query', fields: { secrets: { type: GraphQLString } } })
    expect(() => withRights(new GraphQLSchema({ query }))).toThrow('Query.secrets lacks extensions.scope')
  })
})

describe('a missing scope', () => {
  const none = { scopes: new Set<never>(), operator: false }
  const reader = { scopes: new Set(['READ'] as const), operator: false }

  it.each([
    [
      'under an alias',
      'mutation { x: cancelTask(input: { id: "1" }) { task { id } } }',
      'cancelTask needs the scope GENERATE',
    ],
    [
      'through a fragment',
      'query { ...F } fragment F on Query { ...G } fragment G on Query { projects { nodes { id } } }',
      'projects is for operators',
    ],
    [
      'in an inline fragment',
      '{ ... on Query { ... @include(if: true) { projects { nodes { id } } } } }',
      'projects is for operators',
    ],
    [
      'in one of two operations',
      'query A { task(id: "1") { id } } mutation B { deleteWebhook(input: { id: "1" }) { webhook { id } } }',
      'deleteWebhook needs the scope ADMIN',
    ],
    [
      'in a field that may be skipped',
      'query ($no: Boolean = false) { projects @include(if: $no) { id } }',
      'projects is for operators',
    ],
    [
      'after a permitted field',
      '{ task(id: "1") { id } projects { nodes { id } } }',
      'projects is for operators',
    ],
  ])('is found %s', (_, text, sentence) => {
    const operationName = text.includes('mutation B') ? 'B' : undefined
    expect(missingRight({ schema, document: parse(text), operationName }, reader)).toContain(sentence)
  })

  it('is not reported for introspection fields', () => {
    expect(
      missingRight({ schema, document: parse('{ __typename __schema { description } }') }, none),
    ).toBeUndefined()
  })

  it('is determined again for each caller of one document', () => {
    const operation = { schema, document: parse('{ tasks { nodes { id } } }') }
    expect(missingRight(operation, none)).toBeDefined()
    expect(missingRight(operation, reader)).toBeUndefined()
    expect(missingRight(operation, none)).toBeDefined()
  })
})

describe('a request over a real connection', () => {
  let keyed: GatewayWithKeys
  const keys = new Map<string, string>()
  beforeAll(async () => {
    keyed = await openGatewayWithKeys()
    for (const scope of SCOPES) keys.set(scope, (await keyed.newKey({ scopes: [scope] })).key)
    keys.set('OPERATOR', ADMIN_KEY)
  })
  afterAll(() => keyed[Symbol.asyncDispose]())

  it.each([...SCOPES, 'OPERATOR'])(
    'with only %s is allowed or refused with 403, by the scope of its field',
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
        const text = await readFirstResult(response)
        const isRefused = text.includes('"FORBIDDEN"') && (kind === 'subscription' || response.status === 403)
        expect([name, isRefused]).toEqual([name, !isAllowed(holder, right)])
      }
    },
  )

  it.each([...SCOPES, 'OPERATOR'])('with only %s is allowed or refused over a WebSocket', async (holder) => {
    const client = createClient(keyed.url, bearer(keys.get(holder)!))
    const refused: string[] = []
    for (const { name, query } of FIELDS) {
      const watching = client.watch('WebSocket', query)
      // graphql-ws throws what was refused before it ran.
      const first = await Promise.race([watching.next().catch((error: unknown) => error), waitForTimeout()])
      if (JSON.stringify(first ?? null).includes('"FORBIDDEN"')) refused.push(name)
      void watching.return?.()
    }
    const expected = FIELDS.filter(({ right }) => !isAllowed(holder, right)).map(({ name }) => name)
    expect(refused).toEqual(expected)
  })

  it('that is refused names the required scope and those of the key', async () => {
    const client = createClient(keyed.url, bearer(keys.get('READ')!))
    const { data, errors }: Result<unknown> = await client.execute(
      'mutation { generateImage(input: { prompt: "x" }) { task { id } } }',
    )
    expect(data).toBeUndefined()
    expect(errors).toEqual([
      {
        message: 'generateImage needs the scope GENERATE; this API key has READ.',
        extensions: { code: 'FORBIDDEN' },
      },
    ])
  })

  it('is not executed if one of its fields is refused', async () => {
    const client = createClient(keyed.url, bearer(keys.get('GENERATE')!))
    const { errors } = await client.execute(
      'mutation { generateImage(input: { prompt: "x" }) { task { id } } createApiKey(input: { name: "x" }) { key } }',
    )
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    const { tasks } = await keyed
      .operator()
      .get<{ tasks: { nodes: unknown[] } }>('{ tasks { nodes { id } } }')
    expect(tasks.nodes).toEqual([])
  })
})

/** The operator has every scope; a key has only its own. ANY needs none. */
function isAllowed(holder: string, right: string | undefined): boolean {
  return holder === right || holder === 'OPERATOR' || right === 'ANY'
}
