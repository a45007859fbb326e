// What the demo was asked for, from texts on the command line to the mutation's input.
import { resolve } from 'node:path'
import { didYouMean } from '../../config/nearest.ts'
import { OUTPUT_FORMATS, QUALITIES } from '../../domain.ts'
import type { Arguments } from '../command.ts'
import { UsageError } from '../exit.ts'
import type { GenerateImageInput } from './operations.ts'

export interface DemoSettings {
  /** The server to ask; null starts one for this picture. */
  url: string | null
  /** Absolute. */
  outDir: string
  input: Omit<GenerateImageInput, 'idempotencyKey'>
}

const DEFAULT_PROMPT = 'a red fox in the snow'

/** Reads the demo's options. Throws UsageError; whether the server can honour them is the server's word. */
export function readSettings({ words, values }: Arguments, cwd: string): DemoSettings {
  return {
    url: values['url'] === undefined ? null : readUrl(values['url']),
    outDir: resolve(cwd, values['out'] ?? 'out'),
    input: {
      prompt: words.join(' ').trim() || DEFAULT_PROMPT,
      partialImages: readNumber('partials', values['partials'] ?? '3', { min: 0, max: 3 }),
      n: readNumber('n', values['n'] ?? '1', { min: 1, max: 10 }),
      ...(values['size'] && { size: values['size'] }),
      ...(values['model'] && { model: values['model'] }),
      ...(values['quality'] && { quality: readWord('quality', values['quality'], QUALITIES) }),
      ...(values['format'] && { outputFormat: readWord('format', values['format'], OUTPUT_FORMATS) }),
      ...(values['provider'] && { providers: values['provider'].split(',').map((name) => name.trim()) }),
    },
  }
}

function readUrl(value: string): string {
  const url = URL.parse(value)
  if (url && /^https?:$/.test(url.protocol)) return url.href
  throw new UsageError(`--url is "${value}", but must be the address of a server: http://127.0.0.1:4000.`)
}

function readNumber(name: string, value: string, { min, max }: { min: number; max: number }): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(`--${name} is "${value}", but must be a whole number from ${min} to ${max}.`)
}

function readWord<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value.toUpperCase())
  if (found !== undefined) return found
  const words = allowed.map((word) => word.toLowerCase())
  throw new UsageError(`--${name} is "${value}", but must be ${words.join(', ')}.${didYouMean(value, words)}`)
}
