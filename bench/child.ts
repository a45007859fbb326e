// Servers and their clients are measured in processes of their own; this is how they are started and spoken to.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** What a child can do, by name; each verb takes one argument or none. */
export type Verbs = Record<string, (input: never) => unknown>

export interface Child<V extends Verbs> {
  /** Calls one of the child's verbs and gives its answer. Rejects when it throws, or when the child has ended. */
  ask<Verb extends keyof V & string>(
    verb: Verb,
    ...input: Parameters<V[Verb]>
  ): Promise<Awaited<ReturnType<V[Verb]>>>
  /** Lets it end, and waits until it has. */
  [Symbol.asyncDispose](): Promise<void>
}

interface Question {
  id: number
  verb: string
  input: unknown
}

interface Reply {
  id: number
  value?: unknown
  error?: string
}

/** Starts `children/<name>.ts`. With BENCH_PROFILE it writes a CPU profile into that folder when it ends. */
export function openChild<V extends Verbs>(name: string): Child<V> {
  const folder = process.env['BENCH_PROFILE']
  const execArgv = folder ? ['--cpu-prof', `--cpu-prof-dir=${join(folder, name)}`] : []
  const child = fork(join(import.meta.dirname, 'children', `${name}.ts`), {
    execArgv,
    serialization: 'advanced',
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let asked = 0
  child.on('message', ({ id, value, error }: Reply) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(value)
    else one?.reject(new Error(`${name}: ${error}`))
  })
  child.once('exit', (code) => {
    for (const one of waiting.values()) one.reject(new Error(`The ${name} ended with code ${code}.`))
  })
  return {
    ask(verb, ...[input]) {
      const { promise, resolve, reject } = Promise.withResolvers<never>()
      waiting.set(++asked, { resolve, reject })
      child.send({ id: asked, verb, input } satisfies Question)
      return promise
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

/** In a child: answers questions until the parent is gone, then runs `end`. */
export function answer(verbs: Verbs, end: () => Promise<void> = async () => {}): void {
  async function reply({ id, verb, input }: Question): Promise<void> {
    try {
      process.send?.({
        id,
        value: await Reflect.apply(verbs[verb] ?? nothing, undefined, [input]),
      } satisfies Reply)
    } catch (error) {
      process.send?.({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Reply)
    }
  }
  process.on('message', (question: Question) => void reply(question))
  process.once('disconnect', () => void end().finally(() => process.exit()))
}

function nothing(): never {
  throw new Error('There is no such verb.')
}

/** A moment that all processes of this machine agree on, in milliseconds; only differences mean something. */
export function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** CPU time this process has used so far, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
