import { StorageError } from '../disk-error.ts'
import type { S3Settings } from './settings.ts'

/** A request that failed for good, or after all retries. */
export class S3Error extends StorageError {
  override name = 'S3Error'

  /** `now`: of this machine, to show its clock's offset. */
  constructor(place: S3Settings, cause: unknown, now: number) {
    const { code, problem } = describe(place, cause, now)
    super(
      `The bucket ${place.bucket}${place.endpoint ? ` at ${place.endpoint}` : ''} ${problem} (${code}).`,
      code,
      {
        cause,
      },
    )
  }
}

/** Errors of the SDK and of Node's sockets. */
interface Failure {
  name?: string
  code?: string
  Region?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { headers?: Record<string, string> }
}

function failureOf(error: unknown): Failure {
  return typeof error === 'object' && error !== null ? error : {}
}

export function statusOf(error: unknown): number | undefined {
  return failureOf(error).$metadata?.httpStatusCode
}

/** Names of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. */
export function nameOf(error: unknown): string {
  const { name, code } = failureOf(error)
  return name !== undefined && name !== 'Error' && name !== 'AggregateError' ? name : (code ?? 'Error')
}

const TRANSIENT = new Set([
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'RequestTimeout',
  'TimeoutError',
  'ThrottlingException',
  'AbortError',
])
const SOCKET =
  /^(?:ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UND_ERR_\w+)$/

export function isTransient(error: unknown): boolean {
  const status = statusOf(error)
  if (status === 429 || (status !== undefined && status >= 500 && status !== 501)) return true
  const { code = '', name = '' } = failureOf(error)
  return (
    TRANSIENT.has(name) || SOCKET.test(code) || SOCKET.test(name) || code === 'ERR_STREAM_PREMATURE_CLOSE'
  )
}

const MINUTE_MS = 60_000

function describe(
  { region, prefix }: S3Settings,
  error: unknown,
  now: number,
): { code: string; problem: string } {
  const code = nameOf(error)
  const failure = failureOf(error)
  const headers = failure.$response?.headers ?? {}
  const expected = failure.Region ?? headers['x-amz-bucket-region']
  if (expected !== undefined && expected !== region)
    return { code, problem: `is in the region ${expected}: set region=${expected} in ASSETS_URL` }
  switch (code) {
    case 'NoSuchBucket':
      return { code, problem: 'does not exist: create it, or correct ASSETS_URL' }
    case 'CredentialsProviderError':
      return {
        code,
        problem:
          'needs credentials, and none were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run with a role',
      }
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
      return {
        code,
        problem: 'does not accept the credentials: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      }
    case 'ExpiredToken':
      return { code, problem: 'does not accept the credentials: the session token has expired' }
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
      return { code, problem: 'is in another region: set region=… in ASSETS_URL' }
    case 'RequestTimeTooSkewed': {
      const served = Date.parse(headers['date'] ?? '')
      const minutes = Math.round(Math.abs(now - served) / MINUTE_MS)
      const by = Number.isFinite(minutes) ? ` by ${minutes} min` : ''
      return { code, problem: `refuses requests because the clock of this machine is off${by}: set it` }
    }
    case 'QuotaExceeded':
    case 'XMinioStorageFull':
      return { code, problem: 'is full: free some space or raise its quota' }
  }
  if (statusOf(error) === 403)
    return {
      code,
      problem: `does not permit the request: allow GetObject, PutObject and DeleteObject on ${prefix === '' ? '*' : `${prefix}/*`}`,
    }
  if (isTransient(error)) return { code, problem: 'does not answer now' }
  return { code, problem: `refused a request with status ${statusOf(error) ?? 'unknown'}` }
}
