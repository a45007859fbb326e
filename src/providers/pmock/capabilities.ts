// gpt-image-2 on pmock's two image pages (docs.pmock.com), which list less than its maker does.
import type { Capabilities } from '../provider.ts'

/** "openai generate async". */
export const ASYNC_CAPABILITIES: Capabilities = {
  operations: ['GENERATE', 'EDIT'],
  sizes: { kind: 'list', auto: true, values: ['1024x1024', '1024x1536', '1536x1024'] },
  qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH', 'STANDARD'],
  backgrounds: ['TRANSPARENT', 'OPAQUE', 'AUTO'],
  moderations: ['AUTO', 'LOW'],
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  outputCompression: true,
  inputFidelities: ['HIGH', 'LOW'],
  styles: [],
  // "Currently only supports 1."
  maxN: 1,
  // "Support single or multiple sheets": the model's own number, as is the length of a prompt.
  maxInputImages: 16,
  mask: true,
  maxPartialImages: 0,
  user: false,
  maxPromptLength: 32_000,
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
