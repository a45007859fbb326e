import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { GPT_1 } from '../models/catalogue.ts'
import { modelsOption } from '../models/offers.ts'
import type { Capabilities } from '../provider.ts'

export const pmockOptions = z
  .strictObject({
    baseUrl: httpUrl.default('https://ai.pmock.com/api/ai/openai'),
    accessKey: credential,
    /** Never sent. `hmac` only. */
    secretKey: credential.optional(),
    /** `bearer` sends `accessKey`. */
    auth: z.enum(['hmac', 'bearer']).default('hmac'),
    headerPrefix: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/, 'must be the beginning of a header name in lower case')
      .default('pmock'),
    /** Of a check; not on pmock's pages. Default: docs.mountsea.ai, whose pages are alike. */
    taskPath: z
      .string()
      .regex(/^\/.*\{id\}/, 'must begin with / and contain {id}')
      .default('/tasks?taskId={id}'),
    responseFormat: z.enum(['url', 'b64_json']).default('b64_json'),
    models: modelsOption.default(['gpt-image-2']),
    ...callOptions,
    pollMs,
    unbilledFailures,
  })
  .refine(({ auth, secretKey }) => auth !== 'hmac' || secretKey !== undefined, {
    path: ['secretKey'],
    error: 'auth hmac signs with it',
  })

export type PmockOptions = z.output<typeof pmockOptions>

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
