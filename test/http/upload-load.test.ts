// Uploads in numbers, and uploads that do not end: what they take of memory and disk.
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { receiveForm } from '../../src/http/security/form.ts'
import { newPlace, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway } from '../support/gateway.ts'
import { beginUpload, paddedPng, resultOf, sendDataUrl, upload } from '../support/uploads.ts'

const MB = 1_000_000
/** Tasks stay queued: the sandbox paints nothing meanwhile. */
const STALLED = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1, timeoutMs: 3_600_000 }]

const spoolOf = ({ dataDir }: Place) => join(dataDir, 'assets', 'spool')
const filesIn = (place: Place) => readdir(spoolOf(place))

async function newOwnPlace(): Promise<Place> {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  return place
}

/** The peak of resident memory. */
function peakMb(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

describe('150 uploads of 10 MB at once', () => {
  it('take less than 600 MB, leave the server responsive, and each ends with a task or with "ask again"', async () => {
    const place = await newOwnPlace()
    await using server = await startGateway(place, { providers: STALLED })
    await server.generate({ prompt: 'a wall [sandbox:stall]' })
    const image = await paddedPng(10 * MB)
    const ended = new AbortController()
    const probes = probe(`${server.url}/livez`, ended.signal)
    const results = await Promise.all(Array.from({ length: 150 }, () => upload(server.url, image)))
    ended.abort()

    const created = results.filter(({ taskId }) => taskId !== undefined)
    const refused = results.filter(({ taskId }) => taskId === undefined)
    expect(created.length).toBeGreaterThan(10)
    for (const one of refused)
      expect(one).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE', retryAfter: '5' })
    expect(peakMb(server.pid)).toBeLessThan(600)
    const statuses = await probes
    expect(statuses.length).toBeGreaterThan(10)
    expect(new Set(statuses)).toEqual(new Set([200]))

    await expect.poll(() => filesIn(place)).toEqual([])
  })
})

const MIB = 1024 * 1024
/** A process that admits too much does so within this time. */
const ADMIT_MS = 500

describe('large bodies that arrive at once', () => {
  it('have no more than 512 MiB of files: a ninth upload of 60 MiB is not read until another one has ended', async () => {
    await using server = await openGateway({ providers: STALLED })
    const uploads = Array.from({ length: 9 }, () => beginUpload(server.url, 60 * MIB - 10_000).sending)
    for (const sending of uploads) sending.on('error', () => {}).write(Buffer.alloc(MB))
    await expect.poll(() => filesIn(server.place)).toHaveLength(8)
    await pause(ADMIT_MS)
    expect(await filesIn(server.place)).toHaveLength(8)
    const before = new Set(await filesIn(server.place))
    uploads[0]!.destroy()
    await expect.poll(async () => (await filesIn(server.place)).some((name) => !before.has(name))).toBe(true)
    for (const sending of uploads) sending.destroy()
    await expect.poll(() => filesIn(server.place)).toEqual([])
  })

  it('have no more than 64 MiB in memory as JSON: another one waits until one of them has ended', async () => {
    await using server = await openGateway({ providers: STALLED })
    const headers = { 'content-type': 'application/json', 'content-length': 31 * MIB }
    const held = Array.from({ length: 2 }, () =>
      http.request(`${server.url}/graphql`, { method: 'POST', agent: false, headers }).on('error', () => {}),
    )
    for (const sending of held) sending.write('{')
    let result: Awaited<ReturnType<typeof sendDataUrl>> | undefined
    const sent = pause(100)
      .then(() => sendDataUrl(server.url, 'x'.repeat(5 * MIB)))
      .then((ended) => (result = ended))
    await server.generate({ prompt: 'a small one [sandbox:stall]' })
    await pause(100 + ADMIT_MS)
    expect(result).toBeUndefined()
    for (const sending of held) sending.destroy()
    await sent
    expect(result).toMatchObject({ status: 200, code: 'BAD_USER_INPUT' })
  })
})

/** Sends probes one after another. Returns their statuses. */
async function probe(url: string, signal: AbortSignal): Promise<number[]> {
  const statuses: number[] = []
  while (!signal.aborted) {
    const response = await fetch(url)
    await response.text()
    statuses.push(response.status)
    await pause(20)
  }
  return statuses
}

describe('an upload leaves nothing in the spool', () => {
  it('when its client disconnects in the middle of a file', async () => {
    await using server = await openGateway({ providers: STALLED })
    const { sending } = beginUpload(server.url, 10 * MB)
    sending.on('error', () => {})
    sending.write(Buffer.alloc(5 * MB))
    await expect.poll(() => filesIn(server.place)).toMatchObject([/^input-/])
    sending.destroy()
    await expect.poll(() => filesIn(server.place)).toEqual([])
  })

  it('after a restart, when the server was killed in the middle of a file', async () => {
    const place = await newOwnPlace()
    const killed = await startGateway(place, { providers: STALLED })
    const { sending } = beginUpload(killed.url, 10 * MB)
    sending.on('error', () => {})
    sending.write(Buffer.alloc(5 * MB))
    await expect.poll(() => filesIn(place)).toHaveLength(1)
    await killed.kill()
    expect(await filesIn(place)).toHaveLength(1)
    await using _ = await startGateway(place, { providers: STALLED })
    await expect.poll(() => filesIn(place)).toEqual([])
  })

  it('when its file is over the limit, is not an image, or is cut short', async () => {
    await using server = await openGateway({ providers: STALLED })
    // The client closes the connection after the response, and has sent less than half when it is refused.
    expect(await upload(server.url, Buffer.alloc(45 * MB))).toMatchObject({
      status: 413,
      code: 'REQUEST_TOO_LARGE',
    })
    expect(await upload(server.url, Buffer.alloc(MB))).toMatchObject({ code: 'BAD_USER_INPUT' })
    const { sending } = beginUpload(server.url, MB)
    sending.end(Buffer.alloc(MB + '\r\n--b--\r\n'.length))
    expect(await resultOf(sending)).toMatchObject({ status: 400, code: 'MULTIPART_INVALID' })
    expect(await filesIn(server.place)).toEqual([])
  })

  it('when it is created through the fetch function', async () => {
    await using server = await openGateway({ providers: STALLED })
    const form = new FormData()
    const variables = { input: { prompt: 'more teal', images: [{ upload: null }] } }
    const query =
      'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { operation } } }'
    form.set('operations', JSON.stringify({ query, variables }))
    form.set('map', '{"0":["variables.input.images.0.upload"]}')
    form.set('0', new File([new Uint8Array(await paddedPng(MB))], 'image.png'))
    const headers = { 'graphql-require-preflight': '1' }
    const init = { method: 'POST', headers, body: form }
    const response = await server.gateway.fetch(new Request('http://localhost/graphql', init))
    expect(await response.json()).toEqual({ data: { generateImage: { task: { operation: 'EDIT' } } } })
    expect(await filesIn(server.place)).toEqual([])
  })
})

describe('an upload to a full disk', () => {
  it('is refused with 503 before its file is read', async () => {
    await using server = await openGateway({ providers: STALLED })
    // A write there fails with ENOSPC: https://man7.org/linux/man-pages/man4/full.4.html
    const full = join(spoolOf(server.place), 'free-space')
    await symlink('/dev/full', full)
    const image = await paddedPng(MB)
    expect(await upload(server.url, image)).toEqual({
      status: 503,
      code: 'SERVICE_UNAVAILABLE',
      retryAfter: '30',
      taskId: undefined,
    })
    await rm(full)
    expect(await upload(server.url, image)).toMatchObject({ status: 200 })
    expect(await filesIn(server.place)).toEqual([])
  })

  it('is refused with "ask again" when the disk fills up meanwhile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'darkroom-full-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const path = join(folder, 'file')
    await symlink('/dev/full', path)
    const form = new FormData()
    form.set('0', new File([new Uint8Array(5 * MB)], 'image.png'))
    const request = new Request('http://localhost/graphql', { method: 'POST', body: form })
    await expect(receiveForm(request, { newFile: () => path, clock: systemClock })).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      retryAfterMs: 30_000,
    })
  })
})

it('a client that keeps its connection can use it after a refused upload', async () => {
  await using server = await openGateway({ providers: STALLED })
  const form = new FormData()
  form.set('0', new File([new Uint8Array(25 * MB)], 'image.png'))
  const headers = { 'graphql-require-preflight': '1' }
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: form })
  expect(response.status).toBe(413)
  await response.text()
  expect((await fetch(`${server.url}/livez`)).status).toBe(200)
})
