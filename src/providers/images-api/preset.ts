import type { z } from 'zod'
import type { ModelsOption } from '../models/offers.ts'
import type { Offer, ProviderRequest } from '../provider.ts'
import type { Message } from '../wire/http.ts'
import type { Unwrap } from './reply.ts'

/**
 * What one server does in its own way within the `openai` dialect. The dialect owns modes, limits, replies and streams.
 * `Own` are the preset's entries in a provider's configuration, besides those of the dialect.
 */
export interface Preset<Own extends object = object> {
  /** Null where each account has its own base URL, which the configuration must then name. */
  readonly baseUrl: string | null
  /** Schemas of the preset's own entries. Each must accept undefined: all providers of the dialect share them. */
  readonly options: { readonly [Name in keyof Own]-?: z.ZodType<Own[Name]> }
  /** The models with their capabilities and prices; the default models when undefined. */
  offers(models: ModelsOption | undefined): Offer[]
  /** How mode `auto` gets previews at this base URL. */
  previews(baseUrl: string): 'STREAM' | 'WITHOUT_STREAM' | 'NONE'
  /** The message that submits a request: path, headers with credentials, and body. `stream` asks for a stream. */
  message(request: ProviderRequest, account: PresetAccount & Own, stream: boolean): Promise<Message>
  /** Takes replies out of the server's envelope. Absent where there is none. */
  unwrap?: Unwrap
}

/** The entries of the dialect that a message depends on. */
export interface PresetAccount {
  apiKey: string
  /** Undefined leaves the choice to the preset. */
  responseFormat?: 'url' | 'b64_json' | undefined
}
