// Debian's nginx in front of the gateway: with `proxy_pass` alone, and with the configuration of docs/tutorial-nginx.md.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { get, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { darkroomHere } from '../cli/in-process.ts'
import { start } from '../story/command.ts'
import { makeCertificate } from '../support/certificate.ts'
import { createClient, TRANSPORTS, type Client } from '../support/client.ts'
import { freePort } from '../support/free-port.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { readBlocks } from '../story/page.ts'

/** Long enough to tell a partial image that arrives at once from one that waits for the end. */
const DURATION_MS = 3_000

const BLOCKS = readBlocks(readFileSync('docs/tutorial-nginx.md', 'utf8'))
/** Lines of its shell commands. */
const LINES = BLOCKS.filter(({ language }) => language === 'sh').flatMap(({ text }) =>
  text.trim().split('\n'),
)

interface Places {
  /** Has the certificate. */
  folder: string
  tls: string
  plain: string
  upstream: string
}

/** The configuration of the page, with these places. */
function documentedServers({ folder, tls, plain, upstream }: Places): string {
  const parts: Record<string, string> = {
    'listen 443 ssl;': tls,
    'listen 80;': plain,
    'http://127.0.0.1:4000': upstream,
    '/etc/nginx/tls/fullchain.pem': join(folder, 'fullchain.pem'),
    '/etc/nginx/tls/privkey.pem': join(folder, 'privkey.pem'),
  }
  let block = BLOCKS.find(({ language }) => language === 'nginx')?.text ?? ''
  for (const [shown, real] of Object.entries(parts)) {
    if (!block.includes(shown)) throw new Error(`docs/tutorial-nginx.md does not show ${shown}`)
    block = block.replace(shown, real)
  }
  return block
}

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

/** The version, or the code of the refusal, for a client that offers nothing newer. */
async function handshake(
  port: number,
  maxVersion: 'TLSv1.1' | 'TLSv1.2',
): Promise<string | null | undefined> {
  // OpenSSL 3 offers old versions at this level only. Another test verifies the certificate.
  const options = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0', rejectUnauthorized: false } as const
  const socket = connect({ host: '127.0.0.1', port, maxVersion, ...options })
  try {
    await once(socket, 'secureConnect')
    return socket.getProtocol()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    socket.destroy()
  }
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
      tlsPort = await freePort()
      redirectPort = await freePort()
      nginx = await startNginx((port, folder) => {
        writeFileSync(join(folder, 'fullchain.pem'), certificate.cert)
        writeFileSync(join(folder, 'privkey.pem'), certificate.key)
        return documentedServers({
          folder,
          // Without TLS as well: the clients of these tests do not know the certificate.
          tls: `listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl;`,
          plain: `listen 127.0.0.1:${redirectPort};`,
          upstream: server.url,
        })
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

    it('TLS 1.1 is refused, and 1.2 is not', async () => {
      expect([await handshake(tlsPort, 'TLSv1.1'), await handshake(tlsPort, 'TLSv1.2')]).toEqual([
        'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
        'TLSv1.2',
      ])
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

describe('the tutorial', () => {
  let cwd: string
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'darkroom-tutorial-'))
    await chmod(cwd, 0o755)
  })
  afterAll(() => rm(cwd, { recursive: true, force: true, maxRetries: 3 }))

  it('leads to an image over TLS, with a certificate and a key that its commands make', async () => {
    const line = (text: string) => LINES.find((one) => one.includes(text)) ?? ''
    const [openssl = '', ...options] = line('openssl req')
      .replace('sudo ', '')
      .replaceAll('/etc/nginx/tls', cwd)
      .split(' ')
    execFileSync(openssl, options, { stdio: 'ignore' })
    const [port, tlsPort, plainPort] = [await freePort(), await freePort(), await freePort()]
    const shown = (name: string) =>
      new RegExp(`^export ${name}=(\\S+)`, 'm').exec(LINES.join('\n'))?.[1] ?? ''
    const env = {
      PUBLIC_URL: shown('PUBLIC_URL'),
      TRUSTED_PROXIES: shown('TRUSTED_PROXIES'),
      DARKROOM_ADMIN_KEY: execFileSync('openssl', ['rand', '-base64', '33'], { encoding: 'utf8' }).trim(),
      PORT: String(port),
      LOG_LEVEL: 'error',
    }
    const server = start('darkroom', ['serve'], { cwd, env })
    onTestFinished(() => void server.child.kill('SIGKILL'))
    await expect.poll(() => server.stdout() + server.stderr()).toContain('Ctrl-C to stop')
    const nginx = await startNginx((ownPort) =>
      documentedServers({
        folder: cwd,
        tls: `listen 127.0.0.1:${ownPort}; listen 127.0.0.1:${tlsPort} ssl;`,
        plain: `listen 127.0.0.1:${plainPort};`,
        upstream: `http://127.0.0.1:${port}`,
      }),
    )
    onTestFinished(() => nginx.stop())
    const create = line('keys create').replace('npx darkroom ', '').split(' ')
    const { stdout } = await darkroomHere(create, { cwd, env })
    const [key = ''] = /dk_live_\S+/.exec(stdout) ?? []

    const ca = readFileSync(join(cwd, 'fullchain.pem'), 'utf8')
    const [generating = '', reading = ''] = LINES.filter((one) => one.startsWith('curl '))
    const send = (command: string) => sendOverTls(command.replace('$DARKROOM_API_KEY', key), tlsPort, ca)
    expect(await send(generating)).toMatchObject({
      data: { generateImage: { task: { id: expect.any(String) } } },
    })
    const image = { url: expect.stringMatching(/^https:\/\/images\.example\.com\/assets\//) as unknown }
    await expect
      .poll(() => send(reading))
      .toEqual({ data: { tasks: { nodes: [{ status: 'SUCCEEDED', costMicros: 52_730, images: [image] }] } } })
  })
})

/** What curl does with `--cacert` and `--resolve`. */
async function sendOverTls(command: string, port: number, ca: string): Promise<unknown> {
  const { hostname, pathname } = new URL(/https:\S+graphql/.exec(command)?.[0] ?? '')
  const headers = [...command.matchAll(/-H ["']([\w-]+): ([^"']+)["']/g)].map(([, name, value]) => [
    name,
    value,
  ])
  const [, body = ''] = /-d '([^']+)'$/.exec(command) ?? []
  const sent = request({
    host: '127.0.0.1',
    port,
    path: pathname,
    servername: hostname,
    ca,
    method: 'POST',
    headers: { host: hostname, ...(Object.fromEntries(headers) as Record<string, string>) },
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return JSON.parse(Buffer.concat(await response.toArray()).toString())
}
