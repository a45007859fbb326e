// Upstreams of each dialect that return their results as addresses.
import { onTestFinished } from 'vitest'
import { startLinkServer, type Answer, type LinkServer } from '../support/link-server.ts'

interface Upstream extends LinkServer {
  /** The number of requests that made images. */
  paid(): number
}

const USAGE = { input_tokens: 21, output_tokens: 196, total_tokens: 217 }

/** What each dialect is configured with, and how its API returns these addresses. */
export const DIALECTS: Record<
  string,
  {
    entry: Record<string, unknown>
    api: (urls: string[], request: { method: string; path: string }) => unknown
    usage: boolean
  }
> = {
  openai: {
    entry: { dialect: 'openai', apiKey: 'sk-test', mode: 'sync' },
    api: (urls) => ({ data: urls.map((url) => ({ url })), usage: USAGE }),
    usage: true,
  },
  basic: {
    entry: { dialect: 'basic', apiKey: 'key' },
    api: (urls) => ({ data: urls.map((url) => ({ url, b64_json: '' })), usage: USAGE }),
    usage: true,
  },
  'jimmy, at once': {
    entry: { dialect: 'jimmy', apiKey: 'key', mode: 'sync' },
    api: (urls) => ({ code: 20000, data: { data: urls.map((url) => ({ url })) } }),
    usage: false,
  },
  'acedata, at once': {
    entry: { dialect: 'acedata', apiKey: 'key', mode: 'sync' },
    api: (urls) => ({ success: true, data: urls.map((url) => ({ url })) }),
    usage: false,
  },
  'jimmy, polled': {
    entry: { dialect: 'jimmy', apiKey: 'key', mode: 'async', pollMs: 50, timeoutMs: 1500 },
    api: ([url], { method }) =>
      method === 'POST'
        ? { code: 20000, data: { task_id: 'task-1' } }
        : { code: 20000, data: { task_id: 'task-1', status: 'completed', result: { image_url: url } } },
    usage: false,
  },
  'acedata, polled': {
    entry: { dialect: 'acedata', apiKey: 'key', mode: 'async', pollMs: 50, timeoutMs: 1500 },
    api: (urls, { path }) =>
      path.endsWith('/tasks')
        ? { id: 'task-1', response: { success: true, data: urls.map((url) => ({ url })) } }
        : { success: true, task_id: 'task-1' },
    usage: false,
  },
  'pmock, polled': {
    entry: { dialect: 'pmock', accessKey: 'a', secretKey: 's', pollMs: 50, timeoutMs: 1500 },
    api: (urls, { method }) =>
      method === 'POST'
        ? { code: 200, data: { taskId: 'task-1' } }
        : { code: 200, data: { status: 'completed', result: { data: urls.map((url) => ({ url })) } } },
    usage: false,
  },
}

/** An upstream of a dialect whose results are at new links, one for each list of answers. */
export async function startUpstream(dialect: string, ...links: { answers?: Answer[]; always?: Answer }[]) {
  const { api, entry } = DIALECTS[dialect]!
  let paid = 0
  const urls: string[] = []
  const server = await startLinkServer((request) => {
    if (request.method === 'POST' && !request.path.endsWith('/tasks')) paid++
    return api(urls, request)
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  for (const { answers, always } of links) urls.push(server.link(answers, always))
  const upstream: Upstream = { ...server, paid: () => paid }
  return { upstream, entry: { name: 'linked', baseUrl: `${server.origin}/v1`, ...entry } }
}
