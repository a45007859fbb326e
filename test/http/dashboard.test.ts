// How the dashboard is served. test/debian/dashboard.test.ts uses it in a browser.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { createDashboardRoute } from '../../src/http/dashboard.ts'
import { openGateway } from '../support/gateway.ts'

const HTML = { accept: 'text/html,*/*' }

async function openRoute({ publicUrl = null as string | null, isBuilt = true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-dashboard-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  if (isBuilt) {
    await mkdir(join(folder, 'dashboard'))
    await writeFile(join(folder, 'index.html'), '<script src="./dashboard/index-a1.js"></script>')
    await writeFile(join(folder, 'dashboard/index-a1.js'), 'run()')
  }
  const route = createDashboardRoute({ folder, publicUrl, redirectsAssets: false })
  return (path: string, headers: Record<string, string> = HTML, origin = 'http://127.0.0.1:4000') =>
    route(new Request(origin + path, { headers }), () => ({ address: '127.0.0.1', origin }))
}

it('browsers get the page at its addresses, with a policy that allows its own origin only', async () => {
  const get = await openRoute()
  for (const path of [
    '/',
    '/tasks/task_1',
    '/?status=FAILED',
    '/images?kind=input',
    '/images/img_1',
    '/connect?lang=js',
    '/usage',
    '/review',
    '/providers',
    '/providers/a.b',
    '/access',
    '/access/keys/key_1',
    '/webhooks',
    '/webhooks/whk_1',
    '/webhooks/deliveries/dlv_1',
  ]) {
    const response = await get(path)
    expect(await response?.text()).toBe('<script src="/dashboard/index-a1.js"></script>')
    const policy = response?.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'")
  }
  for (const path of ['/graphql', '/tasks', '/tasks/a/b', '/access/other', '/images/generations', '/nothing'])
    expect(await get(path)).toBeUndefined()
  expect(await get('/', { accept: 'application/json' })).toBeUndefined()
  const etag = (await get('/'))?.headers.get('etag') ?? ''
  expect((await get('/', { ...HTML, 'if-none-match': etag }))?.status).toBe(304)
})

it('files are immutable and compressed, and none is outside of their folder', async () => {
  const get = await openRoute()
  const plain = await get('/dashboard/index-a1.js')
  expect([await plain?.text(), plain?.headers.get('cache-control')]).toEqual([
    'run()',
    'public, max-age=31536000, immutable',
  ])
  // The second time from memory.
  for (const _ of [1, 2]) {
    const gzipped = await get('/dashboard/index-a1.js', { 'accept-encoding': 'gzip' })
    expect(gzipped?.headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(await gzipped!.bytes()).toString()).toBe('run()')
  }
  for (const path of ['/dashboard/other.js', '/dashboard/..%2findex.html', '/dashboard/%2e%2e/index.html'])
    expect(await get(path, {})).toBeUndefined()
})

it('below a mount path, the page loads its files from there', async () => {
  const get = await openRoute({ publicUrl: 'https://paint.example/darkroom' })
  const response = await get('/', HTML, 'https://paint.example')
  expect(await response?.text()).toBe('<script src="/darkroom/dashboard/index-a1.js"></script>')
  expect((await get('/', HTML, 'https://attacker.example'))?.status).toBe(403)
})

it('without a build, the page names the command', async () => {
  const get = await openRoute({ isBuilt: false })
  expect(await (await get('/'))?.text()).toContain('<code>npm run build</code>')
})

it('other clients, and browsers with `dashboard: false`, are redirected to /graphql', async () => {
  await using server = await openGateway({ settings: { dashboard: false } })
  const response = await fetch(server.url, { headers: HTML, redirect: 'manual' })
  expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql'])
})

it('browsers get the page at /images, and programs the REST API', async () => {
  await using server = await openGateway()
  const page = await fetch(`${server.url}/images`, { headers: HTML })
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const reply = await fetch(`${server.url}/images`, { headers: { accept: 'application/json' } })
  expect(await reply.json()).toMatchObject({ error: { code: 'unknown_url' } })
})
