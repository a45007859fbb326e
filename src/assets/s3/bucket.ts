// The SDK is imported on first use: other installations do not load it.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Readable } from 'node:stream'
import type { PutObjectCommandInput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import type { PresignOptions } from '../store.ts'
import { isTransient, nameOf, S3Error, statusOf } from './error.ts'
import type { S3Settings } from './settings.ts'

export type Bucket = Awaited<ReturnType<typeof openBucket>>

export interface BucketTuning {
  /** Of a transient failure, after pauses that double from `pauseMs`, with jitter. */
  retries: number
  pauseMs: number
  /** Until the response begins. */
  requestTimeoutMs: number
  /** Without a byte. */
  idleTimeoutMs: number
  connections: number
}

export const BUCKET_TUNING: BucketTuning = {
  retries: 4,
  pauseMs: 200,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 20_000,
  connections: 64,
}

export class ObjectMissing extends Error {
  override name = 'ObjectMissing'
}

export interface NewObject {
  /** Opened again for each try: the SDK does not retry streams. */
  open: () => Readable | Buffer
  byteSize: number
  mimeType: string
}

export interface ObjectEntry {
  /** Without the prefix. */
  key: string
  modifiedAt: number
}

interface BucketOptions {
  clock: Pick<Clock, 'now' | 'sleep'>
  /** From 0 to 1, for the jitter of pauses. */
  random: () => number
  tuning?: BucketTuning
}

/** Keys are relative to the prefix. All requests throw S3Error. */
export async function openBucket(
  settings: S3Settings,
  { clock, random, tuning = BUCKET_TUNING }: BucketOptions,
) {
  const sdk = await import('@aws-sdk/client-s3')
  const client = await createClient(sdk.S3Client, settings, tuning, settings.endpoint)
  const Bucket = settings.bucket
  const keyOf = (key: string) => (settings.prefix === '' ? key : `${settings.prefix}/${key}`)
  // Without permission to list, a store says 403 of a missing object.
  let isHidden = false
  let signing: Promise<S3Client> | undefined

  const encryption: Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'> = {
    ...(settings.encryption !== null && { ServerSideEncryption: settings.encryption }),
    ...(settings.kmsKeyId !== null && { SSEKMSKeyId: settings.kmsKeyId }),
  }

  const toS3Error = (error: unknown) => new S3Error(settings, error, clock.now())

  async function request<T>(work: () => Promise<T>, retries = tuning.retries): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (isMissing(error)) throw new ObjectMissing('There is no such object.', { cause: error })
        if (tries >= retries || !isTransient(error)) throw toS3Error(error)
        await clock.sleep(tuning.pauseMs * 2 ** tries * (0.5 + random()))
      }
    }
  }

  const isMissing = (error: unknown) =>
    ['NoSuchKey', 'NotFound'].includes(nameOf(error)) || (isHidden && statusOf(error) === 403)

  async function put(key: string, object: NewObject, options: { retries?: number; timeoutMs?: number } = {}) {
    await request(() => {
      const command = new sdk.PutObjectCommand({
        Bucket,
        Key: keyOf(key),
        Body: object.open(),
        ContentLength: object.byteSize,
        ContentType: object.mimeType,
        ...encryption,
      })
      return client.send(
        command,
        options.timeoutMs === undefined ? {} : { requestTimeout: options.timeoutMs },
      )
    }, options.retries)
  }

  /** Undefined if missing. */
  const head = (key: string) =>
    unlessMissing(
      request(async () => {
        const found = await client.send(new sdk.HeadObjectCommand({ Bucket, Key: keyOf(key) }))
        return { byteSize: found.ContentLength ?? 0, modifiedAt: found.LastModified?.getTime() ?? 0 }
      }),
    )

  /** `end` is inclusive. Throws ObjectMissing. Continues a torn body. */
  async function get(key: string, range?: { start: number; end: number }): Promise<Readable> {
    const from = (start: number) =>
      request(async () => {
        const end = range ? String(range.end) : ''
        const Range = start > 0 || range ? `bytes=${start}-${end}` : undefined
        const { Body } = await client.send(
          new sdk.GetObjectCommand({ Bucket, Key: keyOf(key), ...(Range && { Range }) }),
        )
        if (!(Body instanceof Readable)) throw new TypeError('The store sent no body.')
        return Body
      })
    return resumable(from, range?.start ?? 0, toS3Error)
  }

  return {
    put,
    head,
    get,

    /** False if the source is missing. */
    copy: async (from: string, to: string): Promise<boolean> => {
      const source = [Bucket, ...keyOf(from).split('/')].map(encodeURIComponent).join('/')
      const copied = request(() =>
        client.send(new sdk.CopyObjectCommand({ Bucket, Key: keyOf(to), CopySource: source, ...encryption })),
      )
      return (await unlessMissing(copied)) !== undefined
    },

    remove: async (key: string): Promise<void> => {
      await unlessMissing(
        request(() => client.send(new sdk.DeleteObjectCommand({ Bucket, Key: keyOf(key) }))),
      )
    },

    async *list(prefix: string): AsyncGenerator<ObjectEntry> {
      let token: string | undefined
      do {
        const page = await request(() =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket,
              Prefix: keyOf(prefix),
              ...(token !== undefined && { ContinuationToken: token }),
            }),
          ),
        )
        for (const { Key = '', LastModified } of page.Contents ?? [])
          yield {
            key: settings.prefix === '' ? Key : Key.slice(settings.prefix.length + 1),
            modifiedAt: LastModified?.getTime() ?? 0,
          }
        token = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },

    /** A URL on the public endpoint that needs no credentials until it expires. */
    presign: async (
      key: string,
      { expiresInSeconds, mimeType, disposition }: PresignOptions,
    ): Promise<string> => {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
      signing ??= createClient(sdk.S3Client, settings, tuning, settings.publicEndpoint ?? settings.endpoint)
      const command = new sdk.GetObjectCommand({
        Bucket,
        Key: keyOf(key),
        ResponseContentType: mimeType,
        ResponseContentDisposition: disposition,
      })
      return getSignedUrl(await signing, command, { expiresIn: expiresInSeconds })
    },

    /** Puts, reads and deletes an object. */
    async check(key: string): Promise<void> {
      const bytes = Buffer.from('a test of this store')
      await put(key, { open: () => bytes, byteSize: bytes.length, mimeType: 'text/plain' })
      await (await get(key)).toArray()
      await this.remove(key)
      const missing = client.send(new sdk.HeadObjectCommand({ Bucket, Key: keyOf(key) }))
      await missing.catch((error: unknown) => {
        isHidden = statusOf(error) === 403
      })
    },

    async close(): Promise<void> {
      client.destroy()
      ;(await signing)?.destroy()
    },
  }
}

async function createClient(
  Client: typeof S3Client,
  settings: S3Settings,
  { requestTimeoutMs, idleTimeoutMs, connections }: BucketTuning,
  endpoint: string | null,
): Promise<S3Client> {
  const agent = { keepAlive: true, maxSockets: connections }
  const env = process.env
  const hasEndpoint = endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
  const config: S3ClientConfig = {
    // `request` opens the stream again for each try.
    maxAttempts: 1,
    forcePathStyle: settings.pathStyle ?? hasEndpoint !== undefined,
    // Stores other than AWS refuse the checksums that the SDK adds by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== null && { endpoint }),
    ...(settings.region !== null && { region: settings.region }),
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: idleTimeoutMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
  }
  const client = new Client(config)
  if (settings.region !== null) return client
  try {
    await client.config.region()
    return client
  } catch {
    // Neither the environment nor a profile has one.
    client.destroy()
    return new Client({ ...config, region: 'us-east-1' })
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ObjectMissing) return undefined
    throw error
  }
}

const MAX_RESUMES = 3

/** Makes the first request at once, to report a missing object. */
async function resumable(
  from: (start: number) => Promise<Readable>,
  start: number,
  toS3Error: (error: unknown) => S3Error,
): Promise<Readable> {
  const first = await from(start)
  async function* read(): AsyncGenerator<Buffer> {
    let body = first
    let at = start
    for (let resumes = 0; ; resumes++) {
      try {
        for await (const chunk of body) {
          at += chunk.length
          yield chunk
        }
        return
      } catch (error) {
        if (resumes === MAX_RESUMES || !isTransient(error)) throw toS3Error(error)
        body = await from(at)
      } finally {
        // An unread body keeps its connection forever.
        body.destroy()
      }
    }
  }
  const out = Readable.from(read(), { objectMode: false, highWaterMark: 256 * 1024 })
  out.once('close', () => first.destroy())
  return out
}
