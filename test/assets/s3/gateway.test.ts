// Gateways whose images are in a bucket: on several hosts, and while the store fails.
import { readdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { newPlace, type Place } from '../../support/database.ts'
import { openGateway, type TestGateway } from '../../support/gateway.ts'
import { S3_CREDENTIALS, startS3Server, type S3Server } from '../../support/s3-server.ts'
import { startFaultyUpstream } from '../../faults/upstream.ts'
import { darkroom } from '../../cli/darkroom.ts'

let server: S3Server
beforeAll(async () => {
  for (const [name, value] of Object.entries(S3_CREDENTIALS)) vi.stubEnv(name, value)
  server = await startS3Server()
})
afterEach(() => server.fail())
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

const IMAGES = 'query ($id: ID!) { task(id: $id) { status images { id url } } }'
interface Task {
  task: { status: string; images: { id: string; url: string }[] }
}
const imagesOf = (gateway: TestGateway, id: string) => gateway.get<Task>(IMAGES, { id })

async function placeOf(kind: 'sqlite' | 'postgresql'): Promise<Place> {
  const place = await newPlace(kind)
  onTestFinished(() => place.remove())
  return place
}

/** Another host: the same database, another folder. */
async function hostOf(place: Place): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-host-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  onTestFinished(remove)
  return { ...place, dataDir, remove }
}

describe('two hosts with one database and one bucket', () => {
  it('serve, edit and resize the images of each other', async () => {
    const place = await placeOf('postgresql')
    const settings = { assetsUrl: server.newUrl('shared') }
    await using one = await openGateway({ place, settings })
    await using two = await openGateway({ place: await hostOf(place), settings })
    const id = await one.generate({ prompt: 'a red fox' })
    expect(await one.ended(id)).toMatchObject({ status: 'SUCCEEDED' })
    const { task } = await imagesOf(two, id)
    const [image] = task.images
    const pathname = new URL(image!.url).pathname
    expect(await bytesAt(`${two.url}${pathname}`)).toEqual(await bytesAt(`${one.url}${pathname}`))

    await bytesAt(`${one.url}${pathname}?width=64&format=webp`)
    const made = (await server.keys(settings.assetsUrl)).filter((key) => key.includes('renditions'))
    server.requests.length = 0
    await bytesAt(`${two.url}${pathname}?width=64&format=webp`)
    const sent = server.requests.filter(({ method, path }) => method === 'PUT' && path.includes('renditions'))
    expect([made.length, sent.length]).toEqual([1, 0])

    const edit = await two.generate({ prompt: 'in the snow', images: [{ imageId: image!.id }] })
    expect(await two.ended(edit)).toMatchObject({ status: 'SUCCEEDED' })
    // Nothing but temporary files is on the hosts.
    expect(await readdir(join(place.dataDir, 'assets'))).toEqual(['spool'])
  })
})

describe('a bucket', () => {
  it('that fails while a paid image arrives: it waits on disk, nothing else is sent, and it is paid once', async () => {
    await using upstream = await startFaultyUpstream()
    const place = await placeOf('sqlite')
    await using gateway = await openGateway({
      place,
      settings: { assetsUrl: server.newUrl() },
      engine: { reapMs: 200, leaseMs: 2000, heartbeatMs: 500 },
      providers: [upstream.entry],
    })
    server.fail(({ method, path }) =>
      method === 'PUT' && isObject(path) ? { status: 403, code: 'AccessDenied' } : undefined,
    )
    const id = await gateway.generate({ prompt: 'a red fox' })
    await expect.poll(() => upstream.charges.length).toBe(1)
    await expect.poll(() => server.requests.filter(({ path }) => isObject(path)).length).toBeGreaterThan(1)
    server.fail(() => ({ status: 503, code: 'SlowDown' }))
    await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(503)
    const later = await gateway.generate({ prompt: 'a lighthouse' })
    expect((await imagesOf(gateway, later)).task.status).toBe('QUEUED')
    expect(upstream.charges).toHaveLength(1)
    server.fail()
    expect(await gateway.ended(id)).toMatchObject({ status: 'SUCCEEDED' })
    expect(await gateway.ended(later)).toMatchObject({ status: 'SUCCEEDED' })
    expect(upstream.charges).toHaveLength(2)
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  })

  it('that is delivered by redirects: originals only, with the name and type of the image', async () => {
    const place = await placeOf('sqlite')
    const settings = { assetsUrl: server.newUrl(), assetsDelivery: 'redirect' }
    await using gateway = await openGateway({ place, settings })
    const id = await gateway.generate({ prompt: 'a red fox' })
    await gateway.ended(id)
    const [image] = (await imagesOf(gateway, id)).task.images
    const response = await fetch(`${image!.url}?download`, { redirect: 'manual' })
    const location = new URL(response.headers.get('location') ?? '')
    expect([response.status, location.origin]).toEqual([302, server.endpoint])
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      'X-Amz-Expires': '300',
      'response-content-type': 'image/png',
      'response-content-disposition': `attachment; filename="${image!.id}.png"`,
    })
    expect((await bytesAt(location.href)).subarray(1, 4).toString()).toBe('PNG')
    const small = await fetch(`${image!.url}?width=64`, { redirect: 'manual' })
    const head = await fetch(image!.url, { method: 'HEAD', redirect: 'manual' })
    expect([small.status, head.status]).toEqual([200, 200])
  })

  it('with a damaged image: the doctor reads all of them, or a sample, and names it', async () => {
    const place = await placeOf('sqlite')
    const assetsUrl = server.newUrl('checked')
    await using gateway = await openGateway({ place, settings: { assetsUrl } })
    await gateway.ended(await gateway.generate({ prompt: 'a red fox' }))
    const env = { ...S3_CREDENTIALS, ASSETS_URL: assetsUrl, DATA_DIR: place.dataDir }
    const doctor = (...args: string[]) => darkroom(['doctor', ...args], { cwd: place.dataDir, env })
    expect(await doctor('--sample', '100')).toMatchObject({ exitCode: 0 })
    const key = (await server.keys(assetsUrl)).find(isObject)
    const authorization = 'AWS4-HMAC-SHA256 Credential=test-key/0/us-east-1/s3/aws4_request'
    const object = `${server.endpoint}/${new URL(assetsUrl).hostname}/${key}`
    await fetch(object, { method: 'PUT', headers: { authorization }, body: 'other bytes' })
    const whole = await doctor()
    expect([whole.exitCode, whole.stdout]).toEqual([
      1,
      expect.stringMatching(/the file of img_\w+ is damaged/),
    ])
    expect((await doctor('--sample', '1')).stdout).toMatch(/\n {2}[01] of 1 images were read\.\n/)
    expect(await doctor('--sample', '0')).toMatchObject({ exitCode: 64 })
  })

  it('that is wrong: the server does not start, and says what to do', async () => {
    const env = { ...S3_CREDENTIALS, ASSETS_URL: server.newUrl(), PORT: '0' }
    server.fail(() => ({ status: 404, code: 'NoSuchBucket' }))
    const place = await placeOf('sqlite')
    const { exitCode, stderr } = await darkroom(['serve'], { cwd: place.dataDir, env })
    expect([exitCode, stderr]).toEqual([
      78,
      expect.stringContaining('does not exist: create it, or correct ASSETS_URL'),
    ])
  })
})

describe('darkroom assets copy', () => {
  it('moves all images to a bucket and back, verified, and continues where it was interrupted', async () => {
    const place = await placeOf('sqlite')
    const ids: string[] = []
    {
      await using gateway = await openGateway({ place })
      for (const prompt of ['a fox', 'a lighthouse']) {
        ids.push(await gateway.generate({ prompt }))
        await gateway.ended(ids.at(-1)!)
      }
    }
    const assetsUrl = server.newUrl('moved')
    const env = { ...S3_CREDENTIALS, DATA_DIR: place.dataDir }
    const copy = (...args: string[]) =>
      darkroom(['assets', 'copy', '--json', ...args], { cwd: place.dataDir, env })
    let puts = 0
    server.fail(({ method, path }) =>
      method === 'PUT' && path.includes('/objects/') && puts++ > 0
        ? { status: 403, code: 'AccessDenied' }
        : undefined,
    )
    expect((await copy('--to', assetsUrl)).exitCode).not.toBe(0)
    server.fail()
    const moved = await copy('--to', assetsUrl)
    expect([moved.exitCode, JSON.parse(moved.stdout)]).toMatchObject([
      0,
      { present: 1, missing: [], damaged: [] },
    ])
    await rm(join(place.dataDir, 'assets', 'objects'), { recursive: true })
    {
      await using gateway = await openGateway({ place, settings: { assetsUrl } })
      for (const id of ids)
        for (const { url } of (await imagesOf(gateway, id)).task.images) await bytesAt(url)
    }
    const back = await copy('--from', assetsUrl, '--to', place.dataDir)
    expect([back.exitCode, JSON.parse(back.stdout)]).toMatchObject([
      0,
      { present: 0, missing: [], damaged: [] },
    ])
    const empty = join(place.dataDir, 'empty')
    const { stdout } = await darkroom(['assets', 'copy', '--from', empty, '--to', server.newUrl()], {
      cwd: place.dataDir,
      env,
    })
    expect(stdout).toContain(`Missing at ${empty}: 2 images\n`)
    await using gateway = await openGateway({ place })
    for (const id of ids) for (const { url } of (await imagesOf(gateway, id)).task.images) await bytesAt(url)
  })
})

const isObject = (path: string) => path.includes('/objects/')

async function bytesAt(url: string): Promise<Buffer> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}
