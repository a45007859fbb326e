import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { createRenditions } from '../../src/assets/renditions.ts'
import { createSigner } from '../../src/assets/signature.ts'
import type { AssetStore } from '../../src/assets/store.ts'
import { systemClock } from '../../src/clock.ts'
import { createAssetRoute } from '../../src/http/assets.ts'

const SMALL = 'img_SMALL'
const BIG = 'img_BIG'
const OF_A = { projectId: 'prj_A' }

let dir: string
let store: AssetStore
let png: Buffer
let route: ReturnType<typeof createAssetRoute>

afterEach(() => rm(dir, { recursive: true }))

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await route(new Request(`http://gateway${path}`, { headers }))
  if (!response) throw new Error(`${path} is not the asset route's`)
  return response
}

describe('a signed image URL', () => {
  let now: number
  const clock = { ...systemClock, now: () => now }
  const signer = createSigner('a secret', clock)
  const asset = { id: SMALL, ...OF_A, mimeType: 'image/png' }
  beforeEach(async () => {
    now = Date.UTC(2026, 10, 20, 12, 1)
    dir = await mkdtemp(join(tmpdir(), 'darkroom-signed-'))
    store = await openDirectoryStore(dir)
    png = await sharp({ create: { width: 96, height: 64, channels: 3, background: 'tomato' } })
      .png()
      .toBuffer()
    const file = store.newFile()
    await writeFile(file, png)
    const row = { ...OF_A, ...(await store.put(file)), mimeType: 'image/png' }
    route = createAssetRoute({
      findDeleted: async () => undefined,
      find: async (id) => (id === SMALL || id === BIG ? { ...row, id } : undefined),
      isOpen: async () => false,
      signer,
      store,
      renditions: createRenditions(store, join(dir, 'renditions')),
      clock,
    })
  })

  it('stays valid with ?download', async () => {
    for (const path of [signer.sign(asset, {}), signer.sign(asset, { width: 48 })]) {
      const { headers, status } = await get(`${path}&download`)
      expect([status, headers.get('content-disposition')]).toEqual([
        200,
        'attachment; filename="img_SMALL.png"',
      ])
    }
    expect((await get(`/assets/${SMALL}?download`)).status).toBe(403)
  })

  it('is valid only for its image and size, for 15 to 20 minutes', async () => {
    const path = signer.sign(asset, {})
    const response = await get(path)
    expect([response.status, response.headers.get('cache-control')]).toEqual([
      200,
      'private, max-age=1140, immutable',
    ])
    expect(response.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'")
    expect(Buffer.from(await response.arrayBuffer()).equals(png)).toBe(true)
    now += 1_139_000
    expect((await get(path)).status).toBe(200)
    now += 1_000
    expect((await get(path)).status).toBe(403)
  })

  it('stays the same for five minutes, so that caches can use it', () => {
    const path = signer.sign(asset, { width: 48 })
    now += 3 * 60_000
    expect(signer.sign(asset, { width: 48 })).toBe(path)
    now += 61_000
    expect(signer.sign(asset, { width: 48 })).not.toBe(path)
  })

  it('of a rendition is private and can be revalidated', async () => {
    const path = signer.sign(asset, { width: 48, format: 'WEBP' })
    const response = await get(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/webp'])
    const etag = response.headers.get('etag')!
    const again = await get(path, { 'if-none-match': etag })
    expect([again.status, again.headers.get('cache-control')]).toEqual([
      304,
      'private, max-age=1140, immutable',
    ])
  })

  it.for([
    ['without a signature', () => `/assets/${SMALL}.png`],
    ['with a forged signature', () => signed().replace(/signature=.{5}/, 'signature=AAAAA')],
    ['with an empty signature', () => signed().replace(/signature=.*/, 'signature=')],
    ['with a signature of another length', () => `${signed()}AAAA`],
    ['with a changed expiry', () => signed().replace(/expires=\d+/, 'expires=99999999999')],
    ['that was signed for another image', () => signed().replace(SMALL, BIG)],
    ['that was signed for the original', () => `${signed()}&width=10`],
    [
      'that was signed for another size',
      () => signer.sign(asset, { width: 10 }).replace('width=10', 'width=11'),
    ],
    ['of an unknown image', () => signed().replace(SMALL, 'img_NONE')],
    ['that was signed with another secret', () => createSigner('another', clock).sign(asset, {})],
    ['that was signed for another project', () => signer.sign({ ...asset, projectId: 'prj_B' }, {})],
    [
      'with a signature for an empty id and project',
      () => signer.sign({ ...asset, id: '', projectId: '' }, {}).replace('/assets/.', '/assets/img_NONE.'),
    ],
    ['without a valid id', () => '/assets/no-id'],
  ] as [string, () => string][])(
    '%s is refused with the same 403, without reading a file',
    async ([, path]) => {
      const read = vi.spyOn(store, 'read')
      const response: Response = await get(path())
      expect([response.status, response.headers.get('etag'), read.mock.calls]).toEqual([403, null, []])
      expect(await response.json()).toEqual(await (await get('/assets/img_NOTHING')).json())
    },
  )

  function signed(): string {
    return signer.sign(asset, {})
  }
})
