// gpt-image-2 on docs.pmock.com.
import { GPT_1 } from '../models/catalogue.ts'
import type { Capabilities } from '../provider.ts'

/** "openai generate async". */
export const ASYNC_CAPABILITIES: Capabilities = {
  ...GPT_1,
  sizes: { kind: 'list', auto: true, values: ['1024x1024', '1024x1536', '1536x1024'] },
  qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH', 'STANDARD'],
  backgrounds: ['TRANSPARENT', 'OPAQUE', 'AUTO'],
  // "Currently only supports 1."
  maxN: 1,
  maxPartialImages: 0,
  user: false,
}

/** "openai compat generate". */
export const COMPAT_CAPABILITIES: Capabilities = {
  ...ASYNC_CAPABILITIES,
  operations: ['GENERATE'],
  sizes: {
    kind: 'list',
    auto: true,
    values: ['1024x1024', '1024x1536', '1536x1024', '2048x2048', '2048x1152', '3840x2160', '2160x3840'],
  },
  maxInputImages: 0,
  mask: false,
  // The page gives no range; this is OpenAI's.
  maxPartialImages: 3,
  user: true,
}
