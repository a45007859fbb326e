import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const MAX_NAME_LENGTH = 48

/** Such as `a-red-fox-in-the-snow`. Keeps letters of every script; `image` if none. */
export function fileName(prompt: string): string {
  const words =
    prompt
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const name = Array.from(words.join('-')).slice(0, MAX_NAME_LENGTH).join('').replace(/-+$/, '')
  return name || 'image'
}

/** Creates a missing `directory`. Resolves to the path. */
export async function saveImage(directory: string, name: string, bytes: Uint8Array): Promise<string> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, `${name}.${extensionOf(bytes)}`)
  await writeFile(path, bytes)
  return path
}

/** Signatures: https://www.w3.org/TR/png-3/#3PNGsignature, JPEG's SOI, https://www.rfc-editor.org/rfc/rfc9649. */
function extensionOf(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpg'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : 'bin'
}
