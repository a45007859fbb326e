// Loads configurations with fake dialects.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { z } from 'zod'
import { loadConfig, type Config } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/error.ts'
import type { Dialects } from '../../src/config/environment.ts'
import type { Provider } from '../../src/providers/provider.ts'

/** A folder of its own for each test. */
export let cwd: string
/** Names of the closed providers. */
export let closed: string[]

/** Call it in every test file that imports this: a module is evaluated once for several files. */
export function useConfigFolder(): void {
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'darkroom-config-'))
    closed = []
  })
  afterEach(async () => {
    await rm(cwd, { recursive: true })
  })
}

/** Dialects whose providers record that they were closed. */
export const FAKE: Dialects = {
  sandbox: {
    options: z.strictObject({ durationMs: z.int().min(0).default(0) }),
    fromEnvironment: () => undefined,
    create: (name) => fakeProvider(name, 'sandbox'),
  },
  openai: {
    options: z.strictObject({
      apiKey: z.string().min(8),
      baseUrl: z.url().optional(),
      preset: z.enum(['openai', 'pmock']).optional(),
      limits: z.strictObject({ perMinute: z.int() }).optional(),
      models: z.array(z.union([z.string(), z.strictObject({ model: z.string() })])).optional(),
    }),
    fromEnvironment: (env) =>
      env['OPENAI_API_KEY']
        ? {
            apiKey: env['OPENAI_API_KEY'],
            ...(env['OPENAI_BASE_URL'] && { baseUrl: env['OPENAI_BASE_URL'] }),
          }
        : undefined,
    create: (name) => {
      if (name === 'broken') throw new Error('cannot be created with sk-verysecretkey')
      return fakeProvider(name, 'openai')
    },
  },
}

function fakeProvider(name: string, dialect: string): Provider {
  return {
    name,
    dialect,
    traits: { modes: ['SYNC'], recovery: 'NONE', failureCharge: 'UNKNOWN' },
    offers: [],
    concurrency: 1,
    timeoutMs: 1_000,
    submit: () => Promise.reject(new Error('not supported')),
    close: async () => void closed.push(name),
  }
}

export interface Given {
  env?: Record<string, string>
  file?: unknown
  flags?: { port?: string; host?: string; dataDir?: string }
}

/** Loads the configuration of an environment, a file and flags. */
export async function load({ env = {}, file, flags = {} }: Given): Promise<Config> {
  if (file !== undefined) await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify(file))
  return loadConfig({ env, cwd, flags, dialects: FAKE })
}

/** The problems of an invalid configuration. */
export async function problemsOf(given: Given): Promise<readonly string[]> {
  const error = await load(given).catch((thrown: unknown) => thrown)
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error })
  return error.problems
}

export const openai = { name: 'openai', dialect: 'openai', apiKey: '${KEY}' }
export const KEY = { KEY: 'sk-abcdefgh1234' }
export const FILE = 'darkroom.config.json'
export const NUMBER = 'it must be a whole number from'
