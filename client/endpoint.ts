import { errorOf, errorOfStatus, createError, connectionLost, type ResponseError } from './errors.ts'

export interface EndpointOptions {
  /** Server address, such as `https://images.example.com`, or a path on the origin of the page. */
  url: string | URL
  /**
   * API key, or a function that returns the current one. Never put a key into a page that others can open.
   */
  key?: string | (() => string | Promise<string>) | undefined
  /** Sent with every request; over a WebSocket as connection parameters, where browsers set no headers. */
  headers?: Readonly<Record<string, string>> | undefined
  fetch?: typeof fetch | undefined
}

export interface Endpoint {
  readonly url: URL
  fetch: typeof fetch
  /** With `authorization`, if there is a key. */
  headers(): Promise<Record<string, string>>
}

/** Throws TypeError for an invalid `url`. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { key } = options
  const page = 'location' in globalThis ? globalThis.location.href : undefined
  const url = new URL(options.url, page)
  // An own path may follow that of a mounted gateway.
  if (!/\/graphql\/?$/.test(url.pathname)) url.pathname = `${url.pathname.replace(/\/$/, '')}/graphql`
  return {
    url,
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
    async headers() {
      const current = typeof key === 'function' ? await key() : key
      return { ...options.headers, ...(current !== undefined && { authorization: `Bearer ${current}` }) }
    },
  }
}

export interface Result {
  data?: Record<string, unknown> | null
  errors?: readonly ResponseError[]
}

/** Throws for any other body. */
export async function readResult(response: Response): Promise<Result> {
  let text: string
  try {
    text = await response.text()
  } catch (error) {
    throw connectionLost('The connection was lost within the response.', error)
  }
  const result = parseResult(text)
  if (!result) throw errorOfStatus(response)
  return result
}

/** Undefined for a text that is not a GraphQL result. */
export function parseResult(text: string): Result | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  if ('data' in value || ('errors' in value && Array.isArray(value.errors))) return value as Result
  return refusalOf(value)
}

/** Requests refused before GraphQL have `{ "error": { "code", "message" } }`. */
function refusalOf(value: object): Result | undefined {
  if (!('error' in value) || typeof value.error !== 'object' || value.error === null) return undefined
  const { code, message } = value.error as { code?: unknown; message?: unknown }
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  return { errors: [{ message, extensions: { code } }] }
}

/** The only root field. Throws the response's error if it is null. */
export function fieldOf({ data, errors }: Result): unknown {
  const value = Object.values(data ?? {})[0]
  if (value !== null && value !== undefined) return value
  if (data && !errors) throw createError('NOT_FOUND', 'There is no such object.')
  throw errorOf(errors)
}
