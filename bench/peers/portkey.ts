// @portkey-ai/gateway in this process, as its command starts it, but on loopback and silent.
import { once } from 'node:events'
import { createServer, Server, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { cpuMicros, rssKb, serve } from '../child.ts'

const COMMAND = join(import.meta.dirname, 'node_modules/@portkey-ai/gateway/build/start-server.js')

const verbs = {
  /** Returns the URL. The upstream is named in each request. */
  async start(): Promise<string> {
    const port = await freePort()
    process.argv.push(`--port=${port}`, '--headless')
    process.stdout.write = () => true
    onLoopback()
    await import(COMMAND)
    return `http://127.0.0.1:${port}`
  },
  cpuMicros,
  rssKb,
}

export type PortkeyVerbs = typeof verbs

serve(verbs)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of TCP
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** It has no option for the address to listen on. */
function onLoopback(): void {
  const listen = Reflect.get(Server.prototype, 'listen')
  Object.assign(Server.prototype, {
    listen(this: Server, port: number) {
      return Reflect.apply(listen, this, [{ port, host: '127.0.0.1' }])
    },
  })
}
