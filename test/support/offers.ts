import type { Capabilities, Offer, Provider } from '../../src/providers/provider.ts'
import { NO_LATER_CAPABILITIES } from '../../src/providers/models/catalogue.ts'
import { scripted } from './scripted.ts'

/** A model that supports almost everything; `more` replaces capabilities. */
export function offer(
  more: Partial<Capabilities> = {},
  about: Partial<Omit<Offer, 'capabilities'>> = {},
): Offer {
  return {
    model: 'gpt-image-2',
    upstreamModel: 'upstream-name',
    price: null,
    retiresOn: null,
    successor: null,
    svgPrices: {},
    ...about,
    capabilities: {
      operations: ['GENERATE', 'EDIT'],
      sizes: { kind: 'list', auto: true, values: ['1024x1024', '1536x1024'] },
      qualities: ['LOW', 'MEDIUM', 'HIGH'],
      backgrounds: ['OPAQUE', 'TRANSPARENT'],
      moderations: ['LOW'],
      outputFormats: ['PNG', 'JPEG', 'WEBP'],
      outputCompression: true,
      inputFidelities: ['HIGH', 'LOW'],
      styles: ['VIVID', 'NATURAL'],
      maxN: 10,
      maxInputImages: 16,
      mask: true,
      maxPartialImages: 3,
      user: true,
      maxPromptLength: 100,
      ...NO_LATER_CAPABILITIES,
      ...more,
    },
  }
}

/** A provider with these offers. It must not be called. */
export function offering(name: string, ...offers: Offer[]): Provider {
  return scripted(() => Promise.reject(new Error('It must not be called.')), { name, offers })
}
