import { Pool } from 'undici'
import { clock } from './child.ts'
import { percentile, type Sample } from './measure.ts'

/** Sends POST requests over persistent connections, one at a time on each. */
export async function load(
  url: string,
  options: {
    connections: number
    requests: number
    body: (n: number) => string
    serverCpu: () => Promise<number>
    /** In addition to those of JSON. */
    headers?: Record<string, string>
  },
): Promise<Sample> {
  const { connections, requests, body, serverCpu } = options
  const pool = new Pool(new URL(url).origin, { connections, pipelining: 1 })
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...options.headers }
  const { pathname: path } = new URL(url)
  const latencies: number[] = []
  let sent = 0

  async function client(): Promise<void> {
    while (sent < requests) {
      const start = clock()
      const response = await pool.request({ method: 'POST', path, headers, body: body(sent++) })
      const text = await response.body.text()
      if (response.statusCode !== 200 || text.includes('"errors"')) throw new Error(text.slice(0, 500))
      latencies.push(clock() - start)
    }
  }

  const cpu = await serverCpu()
  const start = clock()
  await Promise.all(Array.from({ length: connections }, client))
  const elapsed = clock() - start
  const used = (await serverCpu()) - cpu
  await pool.close()
  return {
    p50: percentile(latencies, 0.5) * 1000,
    p99: percentile(latencies, 0.99) * 1000,
    each: (elapsed / requests) * 1000,
    cpu: used / requests,
  }
}
