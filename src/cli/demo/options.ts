import { resolve } from 'node:path'
import { didYouMean } from '../../nearest.ts'
import { OUTPUT_FORMATS, QUALITIES } from '../../domain.ts'
import { UsageError, type Arguments } from '../command.ts'
import { readUrl } from '../server-client.ts'
import type { GenerateImageInput } from './operations.ts'

export interface DemoOptions {
  /** Null starts a server. */
  url: string | null
  outDir: string
  input: Omit<GenerateImageInput, 'idempotencyKey'>
}

const DEFAULT_PROMPT = 'a red fox in the snow'

/** Throws UsageError. The server checks the rest. */
export function readOptions({ positionals, values }: Arguments, cwd: string): DemoOptions {
  const { url, size, model, quality, format, provider } = values
  return {
    url: url === undefined ? null : readUrl(url),
    outDir: resolve(cwd, values['out'] ?? 'out'),
    input: {
      prompt: positionals.join(' ').trim() || DEFAULT_PROMPT,
      partialImages: readNumber('partials', values['partials'] ?? '3', { min: 0, max: 3 }),
      n: readNumber('n', values['n'] ?? '1', { min: 1, max: 10 }),
      ...(size && { size }),
      ...(model && { model }),
      ...(quality && { quality: readWord('quality', quality, QUALITIES) }),
      ...(format && { outputFormat: readWord('format', format, OUTPUT_FORMATS) }),
      ...(provider && { providers: provider.split(',').map((name) => name.trim()) }),
    },
  }
}

function readNumber(name: string, value: string, { min, max }: { min: number; max: number }): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(`--${name} is "${value}"; it must be a whole number from ${min} to ${max}.`)
}

function readWord<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value.toUpperCase())
  if (found !== undefined) return found
  const words = allowed.map((word) => word.toLowerCase())
  throw new UsageError(
    `--${name} is "${value}"; it must be one of ${words.join(', ')}.${didYouMean(value, words)}`,
  )
}
