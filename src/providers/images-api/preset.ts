import type { z } from 'zod'
import type { ModelsOption } from '../models/offers.ts'
import type { Offer, ProviderRequest } from '../provider.ts'
import type { Message } from '../wire/http.ts'
import type { Unwrap } from './reply.ts'

/** What a server does in its own way within the `openai` dialect. `Own` are its own entries in the configuration. */
export interface Preset<Own extends object = object> {
  /** Null where each account has its own, which the configuration must name. */
  readonly baseUrl: string | null
  /** Must accept undefined: all providers of the dialect share them. */
  readonly options: { readonly [Name in keyof Own]-?: z.ZodType<Own[Name]> }
  /** Of the preset's default models when undefined. */
  offers(models: ModelsOption | undefined): Offer[]
  /** How mode `auto` gets previews. */
  previews(baseUrl: string): 'STREAM' | 'WITHOUT_STREAM' | 'NONE'
  /** Path, headers with credentials, and body of a submit. */
  message(request: ProviderRequest, account: PresetAccount & Own, stream: boolean): Promise<Message>
  unwrap?: Unwrap
}

/** Entries of the dialect. */
export interface PresetAccount {
  apiKey: string
  /** Undefined leaves the choice to the preset. */
  responseFormat?: 'url' | 'b64_json' | undefined
}
