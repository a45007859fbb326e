import { z } from 'zod'
import { callOptions, credential, httpUrl, unbilledServerErrors } from '../images-api/options.ts'
import type { Preset } from '../images-api/preset.ts'
import { modelsOption } from '../models/offers.ts'
import { OPENAI } from './preset.ts'

export type Presets = Readonly<Record<string, Preset>>

const common = z.strictObject({
  /** By default that of the preset, or of OpenAI. */
  baseUrl: httpUrl.optional(),
  apiKey: credential,
  /** Sent as `response_format`. By default the preset decides. */
  responseFormat: z.enum(['url', 'b64_json']).optional(),
  /** By default the preset decides. */
  models: modelsOption.optional(),
  ...callOptions,
  /** `auto` streams when the client wants previews, and offers previews where the server is known to have them. */
  mode: z.enum(['auto', 'sync', 'stream']).default('auto'),
  unbilledServerErrors,
})

/** Without the entries of presets. */
export interface OpenaiOptions extends z.output<typeof common> {
  baseUrl: string
  preset?: string | undefined
}

export function optionsWith(presets: Presets): z.ZodType<OpenaiOptions> {
  const own = [OPENAI, ...Object.values(presets)].reduce((all, { options }) => ({ ...all, ...options }), {})
  const entry = z.strictObject({
    ...own,
    ...common.shape,
    /** Names a server that differs from OpenAI in documented ways. */
    preset: z.enum(Object.keys(presets)).optional(),
  })
  return entry.transform((options, context) => {
    const baseUrl = options.baseUrl ?? presetOf(presets, options.preset).baseUrl
    if (baseUrl !== null) return { ...options, baseUrl }
    context.issues.push({
      code: 'custom',
      path: ['baseUrl'],
      input: options,
      message: `must be set: preset ${options.preset} has no default`,
    })
    return z.NEVER
  })
}

export function presetOf(presets: Presets, name: string | undefined): Preset {
  return (name === undefined ? undefined : presets[name]) ?? OPENAI
}
