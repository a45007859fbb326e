// Child processes: servers and their clients are measured in separate processes.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The functions of a child by name. Each takes one argument or none. */
export type Verbs = Record<string, (input: never) => unknown>

export interface Child<V extends Verbs> {
  /** Calls a function of the child. Rejects when it throws, or when the child has ended. */
  call<Verb extends keyof V & string>(
    verb: Verb,
    ...input: Parameters<V[Verb]>
  ): Promise<Awaited<ReturnType<V[Verb]>>>
  /** Ends it and waits for its exit. */
  [Symbol.asyncDispose](): Promise<void>
}

interface Request {
  id: number
  verb: string
  input: unknown
}

interface Reply {
  id: number
  value?: unknown
  error?: string
}

interface ChildOptions {
  /** The program, instead of `<folder>/<name>.ts`. */
  program?: string
  /** More environment variables. */
  env?: Readonly<Record<string, string>>
}

/**
 * Starts `<folder>/<name>.ts`. With BENCH_PROFILE it writes a CPU profile into that folder at its end.
 */
export function openChild<V extends Verbs>(
  name: string,
  folder: 'children' | 'peers' = 'children',
  { program = join(import.meta.dirname, folder, `${name}.ts`), env = {} }: ChildOptions = {},
): Child<V> {
  const profiles = process.env['BENCH_PROFILE']
  const execArgv = profiles ? ['--cpu-prof', `--cpu-prof-dir=${join(profiles, name)}`] : []
  const child = fork(program, {
    execArgv,
    env: { ...process.env, ...env },
    serialization: 'advanced',
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
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
    call(verb, ...[input]) {
      const { promise, resolve, reject } = Promise.withResolvers<never>()
      waiting.set(++lastId, { resolve, reject })
      child.send({ id: lastId, verb, input } satisfies Request)
      return promise
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

/** In a child: serves calls until the parent disconnects, then runs `end`. */
export function serve(verbs: Verbs, end: () => Promise<void> = async () => {}): void {
  async function reply({ id, verb, input }: Request): Promise<void> {
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
  process.on('message', (request: Request) => void reply(request))
  process.once('disconnect', () => void end().finally(() => process.exit()))
}

function nothing(): never {
  throw new Error('There is no such function.')
}

/** Milliseconds of a clock that all processes of this machine share. Only differences are meaningful. */
export function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** CPU time of this process, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

let collectGarbage: (() => void) | undefined

/** Resident memory of this process after a garbage collection, in KB. */
export function rssKb(): number {
  if (!collectGarbage) {
    setFlagsFromString('--expose-gc')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the flag defines it in new contexts
    collectGarbage = runInNewContext('gc') as () => void
  }
  collectGarbage()
  return process.memoryUsage.rss() / 1024
}

/** The peak of this process's resident memory. Not `maxRSS`, which on Linux begins with that of the parent. */
export function peakRssMb(): number {
  const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readStatus()) ?? []
  return (kb === undefined ? process.resourceUsage().maxRSS : Number(kb)) / 1024
}

/** '' outside Linux. */
function readStatus(): string {
  return existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
}
