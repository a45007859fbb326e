import type { Result } from '../support/client.ts'

/** What a stream tells, up to and with the first item that is the last one wanted; leaving it hangs up. */
export async function takeUntil<Data>(
  stream: AsyncIterable<Result<Data>>,
  isLast: (data: Data) => boolean,
): Promise<Data[]> {
  const taken: Data[] = []
  for await (const { data, errors } of stream) {
    if (errors || !data) throw new Error(JSON.stringify(errors))
    taken.push(data)
    if (isLast(data)) return taken
  }
  return taken
}

/** All that a stream tells until it completes by itself. */
export function takeAll<Data>(stream: AsyncIterable<Result<Data>>): Promise<Data[]> {
  return takeUntil(stream, () => false)
}

/** The errors that come first, whether the transport tells them as a result or throws them. */
export async function refusalOf(stream: AsyncIterable<Result<unknown>>): Promise<Result<unknown>['errors']> {
  try {
    for await (const { errors } of stream) return errors
  } catch (error) {
    if (Array.isArray(error)) return error as Result<unknown>['errors']
    throw error
  }
  throw new Error('The stream told nothing.')
}
