import { z } from 'zod'

export interface GraphQLOperation<Data> {
  query: string
  variables?: Record<string, unknown>
  shape: z.ZodType<Data>
}

/** Refused, or the response was invalid. */
export class OperationRefused extends Error {
  override name = 'OperationRefused'
  /** `extensions.code`, first error. */
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.code = code
  }
}

const ERRORS = z.array(
  z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() }),
)
const RESULT = z.object({ data: z.unknown().optional(), errors: ERRORS.optional() })

/** Over HTTP. Throws OperationRefused. */
export async function runOperation<Data>(
  endpoint: string,
  { query, variables = {}, shape }: GraphQLOperation<Data>,
  { headers, ...init }: { headers: Record<string, string>; signal?: AbortSignal },
  send: (request: Request) => Promise<Response> = fetch,
): Promise<Data> {
  const response = await send(
    new Request(endpoint, {
      ...init,
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body: JSON.stringify({ query, variables }),
    }),
  )
  const result: unknown = await response.json().catch(() => undefined)
  if (!RESULT.safeParse(result).success)
    throw new OperationRefused(`${endpoint} is not a GraphQL server: it returned status ${response.status}.`)
  return readData(result, shape)
}

/** Throws OperationRefused. */
export function readData<Data>(result: unknown, shape: z.ZodType<Data>): Data {
  const { data, errors = [] } = RESULT.parse(result)
  if (errors.length > 0) throw refusalOf(errors)
  const parsed = shape.safeParse(data)
  if (parsed.success) return parsed.data
  throw new OperationRefused(`The response has an unexpected shape: ${z.prettifyError(parsed.error)}`)
}

/** graphql-ws throws a server's errors as an array; undefined for others. */
export function findRefusal(thrown: unknown): OperationRefused | undefined {
  if (thrown instanceof OperationRefused) return thrown
  const errors = ERRORS.safeParse(thrown)
  return errors.success ? refusalOf(errors.data) : undefined
}

function refusalOf(errors: z.output<typeof ERRORS>): OperationRefused {
  return new OperationRefused(errors.map(({ message }) => message).join(' '), errors[0]?.extensions?.code)
}
