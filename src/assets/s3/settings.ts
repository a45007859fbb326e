// s3://bucket/prefix?endpoint=https://…&region=…&pathStyle=true

/** null: from the usual variables and files of AWS, or its default. */
export interface S3Settings {
  bucket: string
  /** Without slashes at its ends; empty for the whole bucket. */
  prefix: string
  /** For requests of this server. */
  endpoint: string | null
  /** For presigned URLs, which browsers open. Default: `endpoint`. */
  publicEndpoint: string | null
  region: string | null
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: if there is an endpoint. */
  pathStyle: boolean | null
  /** The header of server-side encryption; none is sent by default. */
  encryption: 'AES256' | 'aws:kms' | null
  /** With `aws:kms`. Default: the key of the bucket. */
  kmsKeyId: string | null
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and the underscores of other stores. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/
/** Characters that no store and no proxy encodes differently. */
const PREFIX = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/
const PARAMETERS = ['endpoint', 'publicEndpoint', 'region', 'pathStyle', 'encryption', 'kmsKeyId'] as const

/** What is wrong with the URL, as the end of a sentence; undefined if nothing is. */
export function s3UrlProblem(text: string): string | undefined {
  const url = URL.parse(text)
  if (url?.protocol !== 's3:') return 'it must be an s3:// URL such as s3://bucket/prefix?region=eu-central-1'
  if (url.username !== '' || url.password !== '')
    return 'it must not contain credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role'
  if (!BUCKET.test(url.hostname))
    return 'the name of the bucket must have 3 to 63 lowercase letters, digits, dots, dashes or underscores'
  const prefix = prefixOf(url)
  if (prefix !== '' && !PREFIX.test(prefix))
    return 'the prefix may contain letters, digits, dots, dashes, underscores and single slashes'
  for (const [name, value] of url.searchParams) {
    const problem = parameterProblem(name, value)
    if (problem !== undefined) return problem
  }
  if (url.searchParams.has('kmsKeyId') && url.searchParams.get('encryption') !== 'aws:kms')
    return 'kmsKeyId needs encryption=aws:kms'
  return undefined
}

function parameterProblem(name: string, value: string): string | undefined {
  switch (name) {
    case 'endpoint':
    case 'publicEndpoint':
      return /^https?:\/\/[^/?#@]+\/?$/.test(value)
        ? undefined
        : `${name} must be an http(s):// URL without path, such as https://s3.example.com`
    case 'pathStyle':
      return ['true', 'false'].includes(value) ? undefined : 'pathStyle must be true or false'
    case 'encryption':
      return ['AES256', 'aws:kms'].includes(value) ? undefined : 'encryption must be AES256 or aws:kms'
    case 'region':
    case 'kmsKeyId':
      return value === '' ? `${name} must not be empty` : undefined
    default:
      return `its parameters are ${PARAMETERS.join(', ')}, and not ${JSON.stringify(name)}`
  }
}

/** Of a valid URL. */
export function parseS3Url(text: string): S3Settings {
  const url = new URL(text)
  const parameter = (name: (typeof PARAMETERS)[number]) => url.searchParams.get(name)
  const [pathStyle, encryption] = [parameter('pathStyle'), parameter('encryption')]
  return {
    bucket: url.hostname,
    prefix: prefixOf(url),
    endpoint: parameter('endpoint'),
    publicEndpoint: parameter('publicEndpoint'),
    region: parameter('region'),
    pathStyle: pathStyle === null ? null : pathStyle === 'true',
    encryption: encryption === 'AES256' || encryption === 'aws:kms' ? encryption : null,
    kmsKeyId: parameter('kmsKeyId'),
  }
}

function prefixOf(url: URL): string {
  return url.pathname.replace(/^\/|\/$/g, '')
}
