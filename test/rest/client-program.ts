// A client package in a process of its own, which runs calls and counts its requests.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'

export interface ClientRequest {
  url: string
  headers: Record<string, string>
  /** Null if no response arrived. */
  status: number | null
  reply?: Record<string, string>
}

export interface ClientError {
  name: string
  message: string
  status: number | null
  code: string | null
  param: string | null
  type: string | null
  error: Record<string, unknown> | null
}

/** How a call ended, as the client's caller sees it. */
export interface Outcome<Value> {
  requests: ClientRequest[]
  value?: Value
  error?: ClientError
}

export interface CallOptions {
  url: string
  params?: Record<string, unknown>
  /** Of the call. */
  options?: Record<string, unknown>
  /** Of the constructor. */
  client?: Record<string, unknown>
  azure?: boolean
}

export interface ClientProgram {
  call<Value>(run: string, options: CallOptions): Promise<Outcome<Value>>
  /** As `call`; throws unless it succeeded. */
  get<Value>(run: string, options: CallOptions): Promise<Value>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts `test/clients/programs/<name>.mjs`. */
export async function startProgram(name: string): Promise<ClientProgram> {
  await installClients()
  const child: ChildProcess = fork(join(CLIENTS_FOLDER, 'programs', `${name}.mjs`), { cwd: CLIENTS_FOLDER })
  const waiting = new Map<number, (outcome: Outcome<never>) => void>()
  const ended = once(child, 'exit')
  await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`${name} ended with code ${code} instead of starting.`))),
  ])
  child.on('message', ({ id, ...outcome }: Outcome<never> & { id: number }) => waiting.get(id)?.(outcome))
  let count = 0
  function call<Value>(run: string, options: CallOptions): Promise<Outcome<Value>> {
    const id = count++
    const { promise, resolve } = Promise.withResolvers<Outcome<Value>>()
    waiting.set(id, resolve)
    child.send({ id, run, ...options })
    return promise
  }
  return {
    call,
    async get<Value>(run: string, options: CallOptions) {
      const { value, error } = await call<Value>(run, options)
      if (error) throw new Error(`${run} failed: ${JSON.stringify(error)}`)
      return value!
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
