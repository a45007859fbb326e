// Debian's nginx in front of the gateway: with `proxy_pass` alone, and with the configuration of docs/operating.md.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeCertificate } from '../support/certificate.ts'
import { createClient, TRANSPORTS, type Client } from '../support/client.ts'
import { freePort } from '../support/free-port.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { readBlocks } from '../story/page.ts'

/** Long enough to tell a partial image that arrives at once from one that waits for the end. */
const DURATION_MS = 3_000

interface Nginx {
  url: string
  stop(): Promise<void>
}

/** Runs nginx in the foreground with a folder of its own. `newServer` returns its `server` blocks. */
async function startNginx(newServer: (port: number, folder: string) => string): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-nginx-'))
  // Its workers have another user.
  await chmod(folder, 0o755)
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const config = `daemon off; pid ${folder}/pid; worker_processes 1; error_log stderr error; events {}
    http { access_log off; ${temporary.join(' ')} ${newServer(port, folder)} }`
  await writeFile(join(folder, 'nginx.conf'), config)
  const child: ChildProcess = spawn(
    'nginx',
    ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended with code ${child.exitCode}.`)
      await fetch(url)
    },
    { timeout: 30_000 },
  )
  return {
    url,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

/** Trusts this certificate only. */
async function getOverTls(url: string, ca: string): Promise<Buffer> {
  const [response] = (await once(get(url, { ca }), 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  return Buffer.concat(await response.toArray())
}

const EVENTS = `subscription ($id: ID!) { taskEvents(taskId: $id) {
  kind: __typename at ... on PartialImageReceived { partialImage { image { url } } }
} }`

interface Event {
  taskEvents: { kind: string; at: string; partialImage?: { image: { url: string } } }
}

/** Whether the task was still running when each partial image arrived, and whether its file could be loaded. */
async function watchPartials(client: Client, server: TestGateway, transport: 'SSE' | 'WebSocket') {
  const id = await client.generate({ prompt: 'a fox', partialImages: 3 })
  const statuses: string[] = []
  const loaded: number[] = []
  for await (const { data } of client.watch<Event>(transport, EVENTS, { id })) {
    const { kind, partialImage } = data!.taskEvents
    if (kind !== 'PartialImageReceived') continue
    const { task } = await server.get<{ task: { status: string } }>(
      'query ($id: ID!) { task(id: $id) { status } }',
      {
        id,
      },
    )
    statuses.push(task.status)
    loaded.push((await fetch(partialImage!.image.url)).status)
  }
  return { statuses, loaded }
}

const AS_MADE = { statuses: ['RUNNING', 'RUNNING', 'RUNNING'], loaded: [200, 200, 200] }

describe('behind nginx', () => {
  let server: TestGateway
  beforeAll(async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: DURATION_MS }]
    server = await openGateway({ providers, settings: { trustedProxies: ['127.0.0.1/32'] } })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it('with proxy_pass alone, partial images arrive as they are made over SSE', async () => {
    const nginx = await startNginx(
      (port) => `server { listen 127.0.0.1:${port}; location / { proxy_pass ${server.url}; } }`,
    )
    try {
      expect(await watchPartials(createClient(nginx.url), server, 'SSE')).toEqual(AS_MADE)
    } finally {
      await nginx.stop()
    }
  })

  describe('with the documented configuration', () => {
    const certificate = makeCertificate()
    let nginx: Nginx
    let tlsPort: number
    let redirectPort: number
    beforeAll(async () => {
      const page = await readFile('docs/operating.md', 'utf8')
      let block = readBlocks(page).find(({ language }) => language === 'nginx')?.text ?? ''
      tlsPort = await freePort()
      redirectPort = await freePort()
      nginx = await startNginx((port, folder) => {
        const parts: Record<string, string> = {
          // Without TLS as well: the clients of these tests do not know the certificate.
          'listen 443 ssl;': `listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl;`,
          'listen 80;': `listen 127.0.0.1:${redirectPort};`,
          'http://127.0.0.1:4000': server.url,
        }
        for (const [shown, real] of Object.entries(parts)) {
          if (!block.includes(shown)) throw new Error(`docs/operating.md does not show ${shown}`)
          block = block.replace(shown, real)
        }
        for (const [name, text] of [
          ['fullchain.pem', certificate.cert],
          ['privkey.pem', certificate.key],
        ] as const) {
          writeFileSync(join(folder, name), text)
          block = block.replace(new RegExp(`/\\S+/${name}`), join(folder, name))
        }
        return block
      })
    })
    afterAll(() => nginx.stop())

    it.each(TRANSPORTS)('partial images arrive as they are made over %s', async (transport) => {
      expect(await watchPartials(createClient(nginx.url), server, transport)).toEqual(AS_MADE)
    })

    it('TLS ends at the proxy, and image URLs begin with https', async () => {
      await server.ended(await server.generate({ prompt: 'a fox' }))
      const query = new URLSearchParams({ query: '{ images { nodes { url } } }' })
      const reply = await getOverTls(`https://127.0.0.1:${tlsPort}/graphql?${query}`, certificate.cert)
      const { data } = JSON.parse(String(reply)) as { data: { images: { nodes: { url: string }[] } } }
      const url = data.images.nodes[0]?.url ?? ''
      expect(url).toContain(`https://127.0.0.1:${tlsPort}/assets/`)
      expect((await sharp(await getOverTls(url, certificate.cert)).metadata()).width).toBe(1024)
    })

    it('plain HTTP is redirected', async () => {
      const response = await fetch(`http://127.0.0.1:${redirectPort}/graphql`, { redirect: 'manual' })
      expect([response.status, response.headers.get('location')]).toEqual([301, 'https://127.0.0.1/graphql'])
    })

    it('image URLs name the proxy, and images of several megabytes are uploaded', async () => {
      const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
      const image = await sharp({
        create: { width: 1200, height: 1200, channels: 3, background: 'white', noise },
      })
        .png()
        .toBuffer()
      expect(image.length).toBeGreaterThan(2_000_000)
      const form = new FormData()
      const query = `mutation ($file: Upload!) {
        generateImage(input: { prompt: "a hat", images: [{ upload: $file }] }) { task { inputImages { url } } }
      }`
      form.set('operations', JSON.stringify({ query, variables: { file: null } }))
      form.set('map', JSON.stringify({ file: ['variables.file'] }))
      form.set('file', new File([new Uint8Array(image)], 'fox.png', { type: 'image/png' }))
      const response = await fetch(`${nginx.url}/graphql`, {
        method: 'POST',
        headers: { 'GraphQL-Require-Preflight': '1' },
        body: form,
      })
      expect(await response.json()).toMatchObject({
        data: {
          generateImage: { task: { inputImages: [{ url: expect.stringContaining(nginx.url) as string }] } },
        },
      })
    })
  })
})
