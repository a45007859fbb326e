// Two processes share a PostgreSQL. Each request of one client may land on either.
import { expect, it } from 'vitest'
import { newPlace } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { openAgent, textOf, type ToolReply } from './agent.ts'
import { newPrompt } from './paid-agent.ts'

const taskIn = ({ structuredContent }: ToolReply) => structuredContent as { task_id: string; status: string }

it('two processes serve one client, resume its stream on the other one, and pay once', async () => {
  const place = await newPlace('postgresql')
  const upstream = await startOpenaiUpstream()
  const options = {
    providers: [{ name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }],
  }
  try {
    await using one = await startGateway(place, options)
    await using other = await startGateway(place, options)
    const urls = [one.url, other.url]
    const used: string[] = []
    let cuts = 0
    /** Each request goes to the next process. The first streams are cut after their first event. */
    const alternating: typeof fetch = async (url, init) => {
      const base = urls[used.length % 2]!
      const { pathname } = new URL(url instanceof Request ? url.url : url)
      used.push(`${init?.method} ${base}`)
      const response = await fetch(base + pathname, init)
      const isStream = response.headers.get('content-type') === 'text/event-stream'
      return isStream && cuts > 0 && cuts-- > 0 ? cutAfterFirstChunk(response) : response
    }
    await using agent = await openAgent({ url: one.url, fetch: alternating })
    const made = await agent.call('generate_image', { prompt: newPrompt() })
    expect(taskIn(made).status).toBe('succeeded')
    // Twice, so that each process reads it.
    for (let i = 0; i < 2; i++)
      expect(textOf(await agent.call('get_task', { task_id: taskIn(made).task_id }))).toContain(': succeeded')

    upstream.script('hang')
    cuts = 1
    const from = used.length
    const call = agent.call('generate_image', { prompt: newPrompt() })
    await expect.poll(() => used.length, { interval: 20 }).toBe(from + 2)
    upstream.release()
    expect(taskIn(await call).status).toBe('succeeded')
    const [first, second] = used.slice(from)
    expect([first!.startsWith('POST'), second!.startsWith('GET')]).toEqual([true, true])
    expect(first!.split(' ')[1]).not.toBe(second!.split(' ')[1])
    expect(upstream.ledger).toHaveLength(2)

    const prompt = newPrompt()
    const repeated = await Promise.all(
      Array.from({ length: 20 }, () => agent.call('generate_image', { prompt })),
    )
    expect(new Set(repeated.map((reply) => taskIn(reply).task_id)).size).toBe(1)
    expect(upstream.ledger).toHaveLength(3)
  } finally {
    await upstream.close()
    await place.remove()
  }
})

function cutAfterFirstChunk(response: Response): Response {
  const reader = response.body!.getReader()
  let chunks = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = await reader.read()
      if (chunks++ === 0 && value) return controller.enqueue(value)
      await reader.cancel()
      controller.error(new Error('The connection was lost.'))
    },
  })
  return new Response(body, { status: response.status, headers: response.headers })
}
