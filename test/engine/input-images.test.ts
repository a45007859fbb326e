import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { requestRule, type AddressRule } from '../../src/providers/wire/address.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, failure, scripted } from '../support/scripted.ts'

/** Loopback counts as public here, on every port. */
const LOOPBACK: AddressRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }
const PNG = await sharp({ create: { width: 40, height: 30, channels: 4, background: '#fff' } })
  .png()
  .toBuffer()

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/image.png`
}

describe.each(DATABASES)('an input image given as a URL on %s', (database) => {
  it('is fetched once before anything is sent, stored, and passed to every attempt', async () => {
    let fetched = 0
    const url = await serve(
      (_, reply) => void (fetched++, reply.writeHead(200, { 'content-type': 'image/png' }).end(PNG)),
    )
    const seen: { size: string; bytes: number }[] = []
    const provider = scripted(async (sent, nth) => {
      const [image] = sent.order.images
      seen.push({ size: `${image!.width}x${image!.height}`, bytes: (await image!.blob()).size })
      if (nth === 1) throw failure('unreached')
      return done(sent)
    })
    await using one = await openEngine({ database, providers: [provider], inputRule: LOOPBACK })
    const { id } = await one.create({ images: [{ url }] })
    await one.reached(id, 'SUCCEEDED')
    const [input, ...others] = (await listAssets(one.db.read, [id])).filter(({ kind }) => kind === 'INPUT')
    expect(others).toEqual([])
    expect(seen).toEqual(Array.from({ length: 2 }, () => ({ size: '40x30', bytes: input!.byteSize })))
    expect(fetched).toBe(1)
  })

  it.each([
    { what: 'is missing', answer: 404, code: 'INPUT_IMAGE_UNREACHABLE' },
    { what: 'is not an image', answer: 200, code: 'INPUT_IMAGE_INVALID' },
  ])('fails the task uncharged, with nothing sent, when it $what', async ({ answer, code }) => {
    const url = await serve((_, reply) => void reply.writeHead(answer).end('<html>'))
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider], inputRule: LOOPBACK })
    const { id } = await one.create({ images: [{ url }] })
    const task = await one.reached(id, 'FAILED')
    expect(task).toMatchObject({ chargesOpen: 0, startedAt: null, error: { code, charged: 'NO' } })
    expect((await one.attempts(id))[0]).toMatchObject({
      state: 'NOT_SENT',
      charged: 'NO',
      sentAt: null,
      wirePhase: 'NONE',
    })
    expect(provider.sent).toEqual([])
  })

  it('is fetched by the next process when a shutdown aborts the fetch', async () => {
    let requests = 0
    const url = await serve((_, reply) => {
      if (++requests > 1) reply.writeHead(200, { 'content-type': 'image/png' }).end(PNG)
    })
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider], inputRule: LOOPBACK })
    const { id } = await one.create({ images: [{ url }] })
    await expect.poll(() => requests).toBe(1)
    await one.close()
    await using two = await openEngine({ place: one.place, providers: [provider], inputRule: LOOPBACK })
    await two.reached(id, 'SUCCEEDED')
    expect(await two.attempts(id)).toHaveLength(1)
  })

  it('is refused before anything is stored when it is at a private address', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const created = one.create({ images: [{ url: 'https://127.0.0.1/image.png' }] })
    await expect(created).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'images.0' })
  })
})
