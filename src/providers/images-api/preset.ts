import type { z } from 'zod'
import type { ModelsOption } from '../models/offers.ts'
import type { Offer, ProviderRequest } from '../provider.ts'
import type { Message } from '../wire/http.ts'
import type { ReplyEnvelope } from './reply.ts'

/** A server's differences within the `openai` dialect. `Own`: its own configuration entries. */
export interface Preset<Own extends object = object> extends ReplyEnvelope {
  /** Null: the configuration must name it. */
  readonly baseUrl: string | null
  /** Must accept undefined: other presets do not set them. */
  readonly options: { readonly [Name in keyof Own]-?: z.ZodType<Own[Name]> }
  offers(models: ModelsOption | undefined): Offer[]
  /** How mode `auto` gets partial images. */
  partialImages(baseUrl: string): 'STREAM' | 'WITHOUT_STREAM' | 'NONE'
  /** Headers of every request. */
  credentials(account: PresetAccount & Own): Message['headers']
  /** Path of the list of models, `/models` by default. Null: no list has the names that requests have. */
  readonly modelsPath?: string | null
  /** Without the credentials. */
  message(request: ProviderRequest, account: PresetAccount & Own, stream: boolean): Promise<Message>
}

export interface PresetAccount {
  apiKey: string
  responseFormat?: 'url' | 'b64_json' | undefined
}
