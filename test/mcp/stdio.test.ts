// `darkroom mcp`: a host that starts it as a process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROGRAM } from '../cli/darkroom.ts'
import { withCompileCache } from '../support/compile-cache.ts'
import { newPlace } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { openGateway } from '../support/gateway.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { noisyPng } from '../support/uploads.ts'
import { openAgent, textOf, type Agent, type ToolReply } from './agent.ts'
import { AGENT_SCOPES, newPrompt, openPaidAgents, type PaidAgents } from './paid-agent.ts'

let paid: PaidAgents
beforeAll(async () => {
  paid = await openPaidAgents()
})
afterAll(() => paid?.[Symbol.asyncDispose]())

interface Host extends Agent {
  logged(): string
}

/** Starts the command with this environment only. */
async function openHost(env: Record<string, string>, args: string[] = []): Promise<Host> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, 'mcp', ...args],
    env: withCompileCache(env) as Record<string, string>,
    stderr: 'pipe',
  })
  let logged = ''
  transport.stderr?.on('data', (chunk: Buffer) => (logged += chunk.toString()))
  const agent = await openAgent({ transport })
  return { ...agent, logged: () => logged }
}

const environmentOf = (url: string, key: string) => ({ DARKROOM_URL: url, DARKROOM_API_KEY: key })
const taskIn = ({ structuredContent }: ToolReply) => structuredContent as { task_id: string; status: string }

describe('with the URL of a server', () => {
  it('makes and finds an image with the key of the host, and reports progress', async () => {
    const { key } = await paid.keyed.newKey({ scopes: AGENT_SCOPES })
    await using host = await openHost(environmentOf(paid.keyed.url, key))
    const messages: (string | undefined)[] = []
    const made = await host.call(
      'generate_image',
      { prompt: newPrompt() },
      { onprogress: ({ message }) => messages.push(message) },
    )
    expect(taskIn(made).status).toBe('succeeded')
    expect(made.content.map(({ type }) => type)).toEqual(['text', 'image'])
    // The SDK's client drops one that arrives together with the result.
    expect(messages).toContain('queued')
    expect(textOf(await host.call('get_task'))).toContain(taskIn(made).task_id)
    const { resources } = await host.client.listResources()
    expect(resources).toHaveLength(1)
    // Images of megabytes pass in both directions.
    const image = `data:image/png;base64,${(await noisyPng(2_000_000)).toString('base64')}`
    const edited = await host.call('edit_image', { prompt: newPrompt(), images: [image] })
    expect(taskIn(edited).status).toBe('succeeded')
    expect(host.logged()).toBe('')
  })

  it('makes a lost request again, which is charged once', async () => {
    await using held = await openPaidAgents()
    held.upstream.script('hang')
    const { key } = await held.keyed.newKey({ scopes: AGENT_SCOPES })
    const proxy = await startTcpProxy(held.keyed.url)
    await using host = await openHost(environmentOf(proxy.url, key))
    const call = host.call('generate_image', { prompt: newPrompt() })
    await expect.poll(() => held.upstream.requests.length).toBe(1)
    proxy.reset()
    const during = host.call('list_models')
    proxy.heal()
    held.upstream.release()
    expect(taskIn(await call).status).toBe('succeeded')
    expect((await during).isError).toBeUndefined()
    expect(held.upstream.ledger).toHaveLength(1)
    await proxy.close()
  })

  it('waits for the successor of a server that shuts down', async () => {
    const place = await newPlace('sqlite')
    const port = await freePort()
    const options = { place, settings: { port } }
    try {
      const before = await openGateway(options)
      await using host = await openHost({ DARKROOM_URL: before.url })
      const prompt = 'a lighthouse [sandbox:duration=60000]'
      const running = await host.call('generate_image', { prompt, wait_seconds: 0 })
      const { task_id } = taskIn(running)
      // Unsent, it would go to the successor.
      const read = () => host.call('get_task', { task_id, wait_seconds: 0 })
      await expect.poll(async () => textOf(await read())).toContain(': running ')
      const stopped = before.gateway.stop({ deadlineMs: 1_000 })
      const call = host.call('generate_image', { prompt: 'a lighthouse' })
      await stopped
      await using after = await openGateway(options)
      expect(after.url).toBe(before.url)
      expect(taskIn(await call).status).toBe('succeeded')
      const lost = await host.call('get_task', { task_id })
      expect(textOf(lost)).toMatch(/: outcome_unknown .+[^]+an operator reviews it/)
    } finally {
      await place.remove()
    }
  })

  it('writes messages only to stdout, and ends with stdin', async () => {
    const { key } = await paid.keyed.newKey({ scopes: AGENT_SCOPES })
    const child = spawn(process.execPath, [PROGRAM, 'mcp', '--url', paid.keyed.url], {
      env: withCompileCache({ DARKROOM_API_KEY: key }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const ask = (message: object | string) =>
      void child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
    const next = async () => JSON.parse((await lines.next()).value ?? '') as Record<string, unknown>
    const clientInfo = { name: 'raw', version: '1' }
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
    ask('this is no message')
    ask({ jsonrpc: '2.0', id: 'first', method: 'initialize', params })
    expect(await next()).toMatchObject({ id: 'first', result: { protocolVersion: '2025-06-18' } })
    ask({ jsonrpc: '2.0', method: 'notifications/initialized' })
    ask({ jsonrpc: '2.0', id: 2, method: 'no/method' })
    expect(await next()).toMatchObject({ id: 2, error: { code: -32601 } })
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('with a wrong key tells the host why', async () => {
    await expect(openHost(environmentOf(paid.keyed.url, 'dk_live_wrong'))).rejects.toThrow(
      /This is not an API key/,
    )
  })
})

describe('without a URL', () => {
  it('runs a server, which a second host uses and continues after the first one ended', async () => {
    const place = await newPlace('sqlite')
    const env = { DATA_DIR: place.dataDir, PORT: String(await freePort()), LOG_LEVEL: 'info' }
    try {
      const first = await openHost(env)
      const prompt = 'a lighthouse [sandbox:duration=0]'
      const made = await first.call('generate_image', { prompt })
      expect(taskIn(made).status).toBe('succeeded')
      expect(first.logged()).toContain('"task finished"')
      await using second = await openHost(env)
      const seen = await second.call('get_task', { task_id: taskIn(made).task_id })
      expect(textOf(seen)).toContain(': succeeded')
      await first[Symbol.asyncDispose]()
      const again = await second.call('generate_image', { prompt })
      expect(taskIn(again).task_id).toBe(taskIn(made).task_id)
      expect(textOf(again)).toContain('earlier call')
    } finally {
      await place.remove()
    }
  })
})
