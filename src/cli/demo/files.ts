import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const LONGEST_SLUG = 48

/** The prompt as a file name: `a-red-fox-in-the-snow`. Letters of any script stay; `picture` when none are left. */
export function slug(prompt: string): string {
  const words =
    prompt
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const name = Array.from(words.join('-')).slice(0, LONGEST_SLUG).join('').replace(/-+$/, '')
  return name || 'picture'
}

/** Writes the bytes to `<name>.<what they are>` in `directory`, which is created; resolves to the path. */
export async function saveImage(directory: string, name: string, bytes: Uint8Array): Promise<string> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, `${name}.${extension(bytes)}`)
  await writeFile(path, bytes)
  return path
}

/** By the first bytes: https://www.w3.org/TR/png-3/#3PNGsignature, JPEG's SOI marker, https://www.rfc-editor.org/rfc/rfc9649. */
function extension(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpg'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : 'bin'
}
