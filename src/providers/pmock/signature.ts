import { createHmac } from 'node:crypto'

/** docs.pmock.com/api-reference/pmock-api-introduction. Signs the current minute's start; `now` in ms. */
export function signatureHeaders(
  { accessKey, secretKey, headerPrefix }: { accessKey: string; secretKey: string; headerPrefix: string },
  now: number,
): Record<string, string> {
  const seconds = Math.floor(now / 60_000) * 60
  const token = createHmac('sha256', secretKey).update(`${accessKey}:${seconds}`).digest('base64')
  return { [`${headerPrefix}-access-key`]: accessKey, [`${headerPrefix}-access-token`]: token }
}
