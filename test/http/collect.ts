import type { Result } from '../support/client.ts'

/** Reads a stream up to and including the first item that is the last, then closes it. */
export async function takeUntil<Data>(
  stream: AsyncIterable<Result<Data>>,
  isLast: (data: Data) => boolean,
): Promise<Data[]> {
  const items: Data[] = []
  for await (const { data, errors } of stream) {
    if (errors || !data) throw new Error(JSON.stringify(errors))
    items.push(data)
    if (isLast(data)) return items
  }
  return items
}

/** Reads a stream until it completes. */
export function takeAll<Data>(stream: AsyncIterable<Result<Data>>): Promise<Data[]> {
  return takeUntil(stream, () => false)
}

/** The first errors, which the transport sends as a result or throws. */
export async function refusalOf(stream: AsyncIterable<Result<unknown>>): Promise<Result<unknown>['errors']> {
  try {
    for await (const { errors } of stream) return errors
  } catch (error) {
    if (Array.isArray(error)) return error as Result<unknown>['errors']
    throw error
  }
  throw new Error('The stream sent nothing.')
}
