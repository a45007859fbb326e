import { createHmac } from 'node:crypto'

export interface Credentials {
  accessKey: string
  secretKey: string
  /** `pmock` on the newer pages, `wuinai` on older ones. */
  headerPrefix: string
}

/**
 * Signs a request: docs.pmock.com/api-reference/pmock-api-introduction. The seconds are the start of the current
 * minute; `now` is in ms since 1970.
 */
export function signatureHeaders(
  { accessKey, secretKey, headerPrefix }: Credentials,
  now: number,
): Record<string, string> {
  const seconds = Math.floor(now / 60_000) * 60
  const token = createHmac('sha256', secretKey).update(`${accessKey}:${seconds}`).digest('base64')
  return { [`${headerPrefix}-access-key`]: accessKey, [`${headerPrefix}-access-token`]: token }
}
