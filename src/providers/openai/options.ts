import { z } from 'zod'
import { callOptions, credential, httpUrl, unbilledServerErrors } from '../images-api/options.ts'
import type { Preset } from '../images-api/preset.ts'
import { modelsOption } from '../models/offers.ts'
import { OPENAI } from './preset.ts'

export type Presets = Readonly<Record<string, Preset>>

const common = z.strictObject({
  /** Default: the preset's, or OpenAI's. */
  baseUrl: httpUrl.optional(),
  apiKey: credential,
  /** Sent as `response_format`. Default: the preset's. */
  responseFormat: z.enum(['url', 'b64_json']).optional(),
  /** Default: the preset's. */
  models: modelsOption.optional(),
  ...callOptions,
  /** `auto` streams when partial images are requested, and offers them where the server is known to have them. */
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
    preset: z.enum(Object.keys(presets)).optional(),
  })
  return entry.transform((options, context) => {
    const baseUrl = options.baseUrl ?? presetOf(presets, options.preset).baseUrl
    if (baseUrl !== null) return { ...options, baseUrl }
    const message = `must be set: preset ${options.preset} has no default`
    context.issues.push({ code: 'custom', path: ['baseUrl'], input: options, message })
    return z.NEVER
  })
}

export function presetOf(presets: Presets, name: string | undefined): Preset {
  return (name === undefined ? undefined : presets[name]) ?? OPENAI
}
