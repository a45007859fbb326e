// Pages of other origins than that of the server.
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { ConnectionError, createClient } from '../../client/index.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let server: TestGateway

beforeAll(async () => {
  server = await openGateway()
})
afterAll(() => server?.[Symbol.asyncDispose]())

const blocked = () => Promise.reject(new TypeError('Failed to fetch'))

/** fetch of a browser on a page of `origin`: fetch.spec.whatwg.org/#http-cors-protocol. */
function fetchOfPage(origin: string): typeof fetch {
  const readable = ({ headers }: Response) =>
    ['*', origin].includes(headers.get('access-control-allow-origin') ?? '')
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('origin', origin)
    if (init?.method === 'POST') {
      const asked = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      }
      const preflight = await fetch(input, { method: 'OPTIONS', headers: asked })
      await preflight.text()
      if (!preflight.ok || !readable(preflight)) return blocked()
    }
    const response = await fetch(input, { ...init, headers })
    if (!readable(response)) return blocked()
    return response
  }
}

function onPageOf(origin: string): void {
  vi.stubGlobal('location', new URL(origin))
  onTestFinished(() => void vi.unstubAllGlobals())
}

/** A socket that the server refuses: pages learn no reason. */
class RefusedSocket {
  onopen: (() => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: (() => void) | null = null
  constructor() {
    queueMicrotask(() => this.onerror?.())
  }
  send() {}
  close() {}
}

describe('a page of an origin that the server does not allow', () => {
  const page = 'https://shop.example'
  const refused = {
    name: 'AccessError',
    code: 'ORIGIN_NOT_ALLOWED',
    charged: 'NO',
    message: `Pages of ${page} may not call this server. Add the origin to CORS_ORIGINS or corsOrigins, and restart.`,
  }

  it('learns the setting at once, from requests and over each transport', async () => {
    onPageOf(page)
    for (const transport of ['websocket', 'sse', 'auto'] as const) {
      const darkroom = createClient({
        url: server.url,
        fetch: fetchOfPage(page),
        transport,
        webSocket: RefusedSocket,
      })
      await expect(darkroom.watch('task_1').next()).rejects.toMatchObject(refused)
      await expect(darkroom.generate({ prompt: 'a ferry' })).rejects.toMatchObject(refused)
      await expect(darkroom.retry({ id: 'task_1' })).rejects.toMatchObject(refused)
    }
  })

  it('is not mistaken for one whose server cannot be reached for a moment', async () => {
    onPageOf(page)
    await using allowed = await openGateway({ corsOrigins: [page] })
    const methods: (string | undefined)[] = []
    const darkroom = createClient({
      url: allowed.url,
      fetch: (input, init) => (methods.push(init?.method) <= 4 ? blocked() : fetchOfPage(page)(input, init)),
    })
    expect(await darkroom.task('task_1')).toBeNull()
    expect(methods).toEqual(['POST', undefined, 'POST', undefined, 'POST'])
  })

  it.each(['no page', 'a page of the server'])('is not looked for by %s', async (where) => {
    if (where !== 'no page') onPageOf(server.url)
    const methods: (string | undefined)[] = []
    const darkroom = createClient({
      url: server.url,
      fetch: (_, init) => (methods.push(init?.method), blocked()),
      giveUpAfterMs: 100,
    })
    await expect(darkroom.task('task_1')).rejects.toThrow(ConnectionError)
    expect(new Set(methods)).toEqual(new Set(['POST']))
  })
})
