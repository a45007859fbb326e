import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const ACCEPTS_GZIP = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/

export function acceptsGzip({ headers }: Request): boolean {
  return ACCEPTS_GZIP.test(headers.get('accept-encoding') ?? '')
}

const compress = promisify(gzip)

export async function gzipped(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await compress(bytes))
}
