// Shared delivery beside an execution for each viewer by graphql-js.
import * as fc from 'fast-check'
import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  parse,
  subscribe,
  validate,
  type ExecutionResult,
  type GraphQLField,
  type GraphQLNamedType,
} from 'graphql'
import { expect, it } from 'vitest'
import { assetPath } from '../../src/assets/address.ts'
import { systemClock } from '../../src/clock.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { operatorOf } from '../../src/engine/access/access.ts'
import { encodeCursor } from '../../src/engine/events/cursor.ts'
import { createLiveSource, type LiveSource } from '../../src/engine/events/live-source.ts'
import { createMask } from '../../src/http/graphql/mask.ts'
import type { Frames } from '../../src/http/graphql/live/frames.ts'
import { createLiveHub } from '../../src/http/graphql/live/hub.ts'
import { createLog } from '../../src/log.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'
import { createLoaders, type Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import { openEngine, type TestEngine } from '../support/engine.ts'

const VIEWERS = 3
const MAX_DEPTH = 4
const log = createLog('silent')

it('delivers the bytes of an unshared execution to every viewer of a random document', async () => {
  const provider = sandbox.create('sandbox', sandbox.options.parse({ durationMs: 0 }))
  await using one = await openEngine({ providers: [provider] })
  const tasks = [
    await one.create({ prompt: 'a fox', partialImages: 2 }),
    await one.create({ prompt: '[sandbox:reject] an owl' }),
  ]
  await one.reached(tasks[0]!.id, 'SUCCEEDED')
  await one.reached(tasks[1]!.id, 'FAILED')
  const fields: [name: string, args: string, after: string, count: number][] = [
    ['taskFeed', '', encodeCursor('feed', DEFAULT_PROJECT, 0), 0],
    ['taskFeed', ', filter: { statuses: [SUCCEEDED] }', encodeCursor('feed', DEFAULT_PROJECT, 0), 0],
    ['taskEvents', `, taskId: "${tasks[0]!.id}"`, encodeCursor('task', tasks[0]!.id, 0), 0],
  ]
  const [events, failed] = await Promise.all(tasks.map(({ id }) => one.events(id)))
  fields[0]![3] = events!.length + failed!.length
  fields[1]![3] = events!.length
  fields[2]![3] = events!.length

  await fc.assert(
    fc.asyncProperty(fc.gen(), async (generate) => {
      const [field, args, after, count] = fields[generate(fc.nat, fields.length - 1)]!
      const text = `subscription ($after: String) { ${field}(after: $after${args}) ${selection(generate)} }`
      expect(validate(schema, parse(text))).toEqual([])
      const expected = await unshared(one, text, after, count)
      const received = await shared(one, text, after, count)
      for (const own of received) expect(own.map(String)).toEqual(expected)
      // Not only equal, but the same.
      for (const [i, message] of received[0]!.entries()) expect(received[1]![i]).toBe(message)
    }),
    { numRuns: 60 },
  )
})

function contextOf({ db, engine, store, deps }: TestEngine): Context {
  return {
    caller: operatorOf(DEFAULT_PROJECT),
    projectId: DEFAULT_PROJECT,
    db,
    engine,
    store,
    providers: deps.providers,
    clock: systemClock,
    server: { version: 'test', database: db.dialect, isOpen: async () => true },
    publicUrl: 'http://here',
    assetPath: (asset, spec) => assetPath(asset.id, asset.mimeType, spec),
    clientAddress: null,
    idempotencyKey: null,
    loaders: createLoaders(db),
  }
}

/** As graphql-ws writes the results, without the snapshot. */
async function unshared(one: TestEngine, text: string, after: string, count: number): Promise<string[]> {
  const mask = createMask(log)
  const stream = await subscribe({
    schema,
    document: parse(text),
    variableValues: { after },
    contextValue: contextOf(one),
  })
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream))
  const messages: string[] = []
  for await (const { data, errors } of stream as AsyncIterable<ExecutionResult>) {
    const payload = { data, ...(errors && { errors: errors.map((error) => mask(error).toJSON()) }) }
    messages.push(JSON.stringify({ id: '1', type: 'next', payload }))
    if (messages.length === count + Number(text.includes('taskEvents'))) break
  }
  return text.includes('taskEvents') ? messages.slice(1) : messages
}

/** The messages of each viewer of a group, without the snapshot. */
async function shared(one: TestEngine, text: string, after: string, count: number): Promise<Buffer[][]> {
  const hub = createLiveHub({ log })
  let isOpen = false
  /** Viewers stand at the end of the log until it is opened, and so are in a group when it is read. */
  function gated<Item>(source: LiveSource<Item>): LiveSource<Item> {
    const read = async (position: number) =>
      isOpen
        ? source.log.read(position)
        : { entries: [], position, hasMore: false, isEnd: false, isLost: false }
    return createLiveSource({ ...source, log: { ...source.log, read } })
  }
  const engine: TestEngine['engine'] = {
    ...one.engine,
    watchTask: async (...given) => gated(await one.engine.watchTask(...given)),
    watchProject: async (...given) => gated(await one.engine.watchProject(...given)),
  }
  const document = parse(text)
  const viewers = await Promise.all(
    Array.from({ length: VIEWERS }, async () => {
      const result = await hub.subscribe({
        schema,
        document,
        variableValues: { after },
        contextValue: contextOf({ ...one, engine }),
      })
      if (!('sink' in result)) throw new Error(JSON.stringify(result))
      const messages: Buffer[] = []
      const write = (frames: Frames) => void messages.push(...frames.messages('1'))
      result.sink = { write, isFull: () => false, drained: async () => {} }
      return { result, messages, end: result.next() }
    }),
  )
  const skipped = Number(text.includes('taskEvents'))
  await expect
    .poll(() => viewers.every(({ messages }) => messages.length === skipped), { interval: 1 })
    .toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 5))
  isOpen = true
  one.deps.wakeUps.wake('*')
  await expect
    .poll(() => viewers.map(({ messages }) => messages.length - skipped), { interval: 1 })
    .toEqual(viewers.map(() => count))
  for (const { result } of viewers) await result.return?.()
  await Promise.all(viewers.map(({ end }) => end))
  expect(hub.viewerCount()).toBe(0)
  return viewers.map(({ messages }) => messages.slice(skipped))
}

/** Random fields of an event, each under an alias of its own. */
function selection(generate: fc.GeneratorValue): string {
  let aliases = 0
  return fieldsOf(schema.getType('TaskEvent')!, MAX_DEPTH)

  function fieldsOf(type: GraphQLNamedType, depth: number): string {
    if (!isObjectType(type) && !isInterfaceType(type)) return ''
    const fields = type.getFields()
    const names = Object.keys(fields).filter(
      (name) => depth > 1 || isLeafType(getNamedType(fields[name]!.type)),
    )
    const chosen = generate(fc.subarray, names, { maxLength: Math.min(5, names.length) })
    const selections = ['__typename', ...chosen.map((name) => select(fields[name]!, depth))]
    if (isAbstractType(type)) {
      const possible = schema.getPossibleTypes(type).map(({ name }) => name)
      for (const name of generate(fc.subarray, possible))
        selections.push(`... on ${name} ${fieldsOf(schema.getType(name)!, depth)}`)
    }
    return `{ ${selections.join(' ')} }`
  }

  function select(field: GraphQLField<unknown, unknown>, depth: number): string {
    const type = getNamedType(field.type)
    return `a${++aliases}: ${field.name}${argumentsOf(field)} ${isLeafType(type) ? '' : fieldsOf(type, depth - 1)}`
  }

  /** Also values that are refused, so that results have errors. */
  function argumentsOf({ args }: GraphQLField<unknown, unknown>): string {
    const given = args.flatMap(({ name, type }) => {
      if (String(type) === '[Int!]!') return [`${name}: [64, 128]`]
      if (!generate(fc.boolean)) return []
      if (isEnumType(type))
        return [`${name}: ${generate(fc.constantFrom, ...type.getValues().map((value) => value.name))}`]
      if (String(type) === 'Int') return [`${name}: ${generate(fc.constantFrom, 1, 64, 5000)}`]
      return []
    })
    return given.length > 0 ? `(${given.join(', ')})` : ''
  }
}
