// Requests of the openai package and of Darkroom, as they arrive at a server that answers each with 400.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { inputOf, openCall, openOpenai, requestOf } from '../providers/openai-call.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'

const BYTES = Buffer.from('image')
/** As an input of Darkroom, and as a file of the package. */
export const image = inputOf(BYTES)
export const file = (name: string) => ({ name, base64: BYTES.toString('base64') })

export type Files = Record<string, ReturnType<typeof file>[]>
export interface PackageRequest {
  method: 'edit' | 'generate'
  parameters: object
  files?: Files | undefined
}

export interface Receiver {
  /** What arrived of each request of the package, in order. */
  sendWithPackage(requests: PackageRequest[]): Promise<object[]>
  send(request: Partial<ProviderRequest>): Promise<object | undefined>
  close(): void
}

export async function openReceiver(): Promise<Receiver> {
  await installClients()
  const arrived: object[] = []
  const server = createServer((incoming, response) => {
    void buffer(incoming).then(async (body) => {
      const fields = await fieldsOf(String(incoming.headers['content-type']), body)
      arrived.push({ path: incoming.url, fields })
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
    })
  })
  const url = await listen(server)
  return {
    async sendWithPackage(requests) {
      const child = spawn(process.execPath, ['programs/openai-images.mjs'], {
        cwd: CLIENTS_FOLDER,
        stdio: ['pipe', 'inherit', 'inherit'],
      })
      child.stdin.end(JSON.stringify({ baseURL: url, requests }))
      const code = await new Promise((resolve) => child.once('exit', resolve))
      if (code !== 0) throw new Error(`The program of the package ended with ${String(code)}.`)
      return arrived.splice(0)
    },
    async send(request) {
      const provider = openOpenai({ url }, { mode: request.partialImages ? 'stream' : 'auto' })
      const { call } = await openCall()
      await provider.submit(requestOf(request), call).catch(() => undefined)
      return arrived.splice(0)[0]
    },
    close: () => void server.close(),
  }
}

/** JSON, or the sorted parts of a form. */
async function fieldsOf(type: string, body: Buffer): Promise<unknown> {
  if (type.startsWith('application/json')) return JSON.parse(String(body))
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  const parts = [...form].map(async ([name, value]) =>
    typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()],
  )
  return (await Promise.all(parts)).toSorted((a, b) => (a.join() < b.join() ? -1 : 1))
}
