import type { Server } from 'node:net'

/** Listens on a free loopback port, and returns the origin. */
export async function listen(server: Server, scheme: 'http' | 'https' = 'http'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('The server listens on no port')
  return `${scheme}://127.0.0.1:${address.port}`
}
