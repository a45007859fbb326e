import { rgbaToThumbHash } from 'thumbhash'
import { decodeSmall } from './decode.ts'

/**
 * A placeholder of about 25 bytes, as base64, to show while the image loads: https://evanw.github.io/thumbhash. It
 * costs one full decode, which also proves that the file is whole, so no `decodeCheck` is needed beside it. Throws
 * ImageRejected.
 */
export async function thumbhash(input: string | Buffer): Promise<string> {
  const { width, height, rgba } = await decodeSmall(input)
  return Buffer.from(rgbaToThumbHash(width, height, rgba)).toString('base64')
}
