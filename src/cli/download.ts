import { formatError } from './format.ts'
import { OperationRefused } from './graphql.ts'

/** Errors omit the query of the URL, which may have a signature. */
export async function downloadImage(url: URL, signal: AbortSignal): Promise<Uint8Array> {
  const address = `${url.origin}${url.pathname}`
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    if (signal.aborted) throw error
    throw new OperationRefused(
      `${address} could not be downloaded: ${formatError(error)} Image URLs begin with PUBLIC_URL of the server, so this machine must reach it. The task is not affected.`,
    )
  })
  if (!response.ok)
    throw new OperationRefused(`${address} returned status ${response.status} instead of an image.`)
  return new Uint8Array(await response.arrayBuffer())
}
