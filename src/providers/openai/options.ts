import { z } from 'zod'
import { callOptions, credential, httpUrl, unbilledServerErrors } from '../images-api/options.ts'
import type { Preset } from '../images-api/preset.ts'
import { modelsOption } from '../models/offers.ts'
import { OPENAI } from './preset.ts'

export type Presets = Readonly<Record<string, Preset>>

const common = z.strictObject({
  /** The preset's own by default, else that of OpenAI. */
  baseUrl: httpUrl.optional(),
  apiKey: credential,
  /** Sent as `response_format`. By default the preset decides; OpenAI gets it for DALL·E models only. */
  responseFormat: z.enum(['url', 'b64_json']).optional(),
  /** Default: the preset's models; without a preset every GPT image model of the catalogue without an announced end. */
  models: modelsOption.optional(),
  ...callOptions,
  /**
   * `stream` requests server-sent events, which previews need; `sync` requests one JSON reply. `auto` requests a stream
   * when the client wants previews, and offers previews where the server is known to support them.
   */
  mode: z.enum(['auto', 'sync', 'stream']).default('auto'),
  unbilledServerErrors,
})

/** The entry of an `openai` provider in the configuration, besides the entries of presets. */
export interface OpenaiOptions extends z.output<typeof common> {
  baseUrl: string
  preset?: string | undefined
}

/** The schema of an `openai` provider's entry, with the entries of all presets. */
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
