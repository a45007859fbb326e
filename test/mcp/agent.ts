// An agent host: the client of the official SDK.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Progress } from '@modelcontextprotocol/sdk/types.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

export interface ToolReply {
  content: { type: string; text?: string; data?: string; mimeType?: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
  _meta?: Record<string, unknown>
}

interface CallOptions {
  signal?: AbortSignal
  timeout?: number
  onprogress?: (progress: Progress) => void
}

export interface Agent {
  client: Client
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolReply>
  [Symbol.asyncDispose](): Promise<void>
}

/** Over Streamable HTTP, or over the given transport. */
export async function openAgent(
  to: { url: string; key?: string; fetch?: typeof fetch } | { transport: Transport },
): Promise<Agent> {
  const client = new Client({ name: 'test-host', version: '1.0.0' })
  await client.connect('transport' in to ? to.transport : httpTransport(to))
  // Reading the list makes the client validate every result against the schema of its tool.
  await client.listTools()
  return {
    client,
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, undefined, options)) as ToolReply,
    async [Symbol.asyncDispose]() {
      await client.close()
    },
  }
}

function httpTransport({ url, key, fetch }: { url: string; key?: string; fetch?: typeof globalThis.fetch }) {
  return new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } },
    ...(fetch && { fetch }),
  }) as Transport
}

export function textOf({ content }: ToolReply): string {
  return content.flatMap(({ text }) => text ?? []).join('\n')
}
