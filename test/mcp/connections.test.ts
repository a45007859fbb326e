// Lost connections, slow results, cancellation and keys.
import type { Progress } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bearer } from '../access/gateway-with-keys.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { openAgent, textOf, type ToolReply } from './agent.ts'
import { newPrompt, openPaidAgents, type PaidAgents } from './paid-agent.ts'

let paid: PaidAgents
beforeAll(async () => {
  paid = await openPaidAgents()
})
afterAll(() => paid?.[Symbol.asyncDispose]())

const statusIn = ({ structuredContent }: ToolReply) => (structuredContent as { status: string }).status
const idIn = ({ structuredContent }: ToolReply) => (structuredContent as { task_id: string }).task_id

/** A provider that answers when it is told to, on a server of its own. */
async function openHeld() {
  const held = await openPaidAgents()
  held.upstream.script('hang')
  return held
}

const sent = async ({ upstream }: PaidAgents) => {
  await expect.poll(() => upstream.requests.length).toBe(1)
}

describe('a lost connection', () => {
  it('is resumed by the client, which gets the result of the one paid call', async () => {
    await using held = await openHeld()
    const proxy = await startTcpProxy(held.keyed.url)
    const { key } = await held.newAgent()
    await using agent = await openAgent({ url: proxy.url, key })
    const call = agent.call('generate_image', { prompt: newPrompt() })
    await sent(held)
    proxy.reset()
    proxy.heal()
    held.upstream.release()
    expect(statusIn(await call)).toBe('succeeded')
    expect(held.upstream.ledger).toHaveLength(1)
    await proxy.close()
  })

  it('and a repeated call on another connection is charged once', async () => {
    await using held = await openHeld()
    const { key } = await held.newAgent()
    const args = { prompt: newPrompt(), quality: 'low' }
    const cut = new AbortController()
    const first = post(held, key, 'tools/call', { name: 'generate_image', arguments: args }, cut.signal)
    await sent(held)
    cut.abort()
    await first.catch(() => {})
    await using agent = await openAgent({ url: held.keyed.url, key })
    const again = agent.call('generate_image', args)
    held.upstream.release()
    expect(statusIn(await again)).toBe('succeeded')
    expect(held.upstream.ledger).toHaveLength(1)
  })

  it('before the call arrived says that it can be made again', async () => {
    const agent = await paid.newAgent()
    const ticket = { id: 7, call: { prefix: `mcp${'0'.repeat(40)}` } }
    const id = `${Buffer.from(JSON.stringify(ticket)).toString('base64url')}.0`
    const response = await fetch(`${paid.keyed.url}/mcp`, {
      headers: { accept: 'text/event-stream', 'last-event-id': id, ...bearer(agent.key) },
    })
    expect(await response.text()).toContain(
      'This call did not arrive, and nothing was charged. Make it again.',
    )
  })
})

function post(held: PaidAgents, key: string, method: string, params: object, signal?: AbortSignal) {
  return fetch(`${held.keyed.url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      ...bearer(key),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    ...(signal && { signal }),
  }).then((response) => response.text())
}

describe('a slow result', () => {
  it('is reported with growing progress', async () => {
    await using agent = await paid.newAgent()
    const progress: Progress[] = []
    const reply = await agent.call(
      'generate_image',
      { prompt: newPrompt() },
      { onprogress: (one) => progress.push(one) },
    )
    expect(statusIn(reply)).toBe('succeeded')
    expect(progress.map((one) => one.message)).toContain('the provider is working on it')
    const values = progress.map((one) => one.progress)
    expect(values).toEqual([...new Set(values)].toSorted((a, b) => a - b))
    expect(progress.at(-1)).toMatchObject({ progress: 1, total: 1, message: 'done' })
  })

  it('is waited for by get_task after the call returned', async () => {
    await using held = await openHeld()
    const agent = await held.newAgent()
    const early = await agent.call('generate_image', { prompt: newPrompt(), wait_seconds: 0 })
    expect([early.isError, statusIn(early)]).toEqual([undefined, 'queued'])
    expect(textOf(early)).toContain(`Call get_task with task_id "${idIn(early)}"`)
    await sent(held)
    const running = await agent.call('get_task', { task_id: idIn(early), wait_seconds: 0 })
    expect(textOf(running)).toMatch(/: running .+\nCost: not known yet\./)
    const late = agent.call('get_task', { task_id: idIn(early) })
    held.upstream.release()
    expect(textOf(await late)).toMatch(/: succeeded .+[^]+Cost: \$0\.005985/)
  })

  it('of a canceled request is not lost: the task continues', async () => {
    await using held = await openHeld()
    const agent = await held.newAgent()
    const prompt = newPrompt()
    const stop = new AbortController()
    const call = agent.call('generate_image', { prompt }, { signal: stop.signal })
    await sent(held)
    stop.abort('The user pressed stop.')
    await expect(call).rejects.toThrow('The user pressed stop.')
    held.upstream.release()
    const { structuredContent } = await agent.call('get_task', { search: prompt })
    const [task] = (structuredContent as { tasks: { task_id: string }[] }).tasks
    const found = await agent.call('get_task', { task_id: task!.task_id })
    expect(textOf(found)).toContain(': succeeded')
    expect(statusIn(await agent.call('generate_image', { prompt }))).toBe('succeeded')
    expect(held.upstream.ledger).toHaveLength(1)
  })
})

describe('a key', () => {
  it('that is wrong or missing is refused at the connection', async () => {
    const { url } = paid.keyed
    await expect(openAgent({ url, key: 'dk_live_wrong' })).rejects.toThrow(/This is not an API key/)
    await expect(openAgent({ url })).rejects.toThrow(/An API key is needed/)
  })

  it('without a scope is told which one it needs', async () => {
    const agent = await paid.newAgent(['READ'])
    const reply = await agent.call('generate_image', { prompt: newPrompt() })
    expect([reply.isError, textOf(reply)]).toEqual([
      true,
      'FORBIDDEN: generate_image needs the scope GENERATE; this API key has READ. Tell the user: only an operator can change this.',
    ])
    const generating = await paid.newAgent(['GENERATE'])
    await expect(generating.client.listResources()).rejects.toThrow(/resources\/list needs the scope READ/)
  })

  it('that is revoked in the middle ends the wait, and not the task', async () => {
    await using held = await openHeld()
    const agent = await held.newAgent()
    const call = agent.call('generate_image', { prompt: newPrompt() })
    await sent(held)
    await held.keyed
      .operator()
      .get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', { id: agent.keyId })
    const reply = await call
    expect([reply.isError, textOf(reply)]).toEqual([true, 'UNAUTHENTICATED: The API key is no longer valid.'])
    await expect(agent.call('list_models')).rejects.toThrow(/was revoked/)
    held.upstream.release()
    const { tasks } = await held.keyed
      .operator()
      .get<{ tasks: { nodes: { id: string }[] } }>('{ tasks { nodes { id } } }')
    expect(await held.keyed.operator().ended(tasks.nodes[0]!.id)).toEqual({ status: 'SUCCEEDED' })
  })
})
