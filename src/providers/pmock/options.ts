import { z } from 'zod'
import { credential, httpUrl } from '../wire/account.ts'
import { modelsOption } from '../models/offers.ts'

/** The entry of a `pmock` provider in the configuration. */
export const pmockOptions = z
  .strictObject({
    baseUrl: httpUrl.default('https://ai.pmock.com/api/ai/openai'),
    accessKey: credential,
    /** Signs requests and is never sent. Needed for `hmac` only. */
    secretKey: credential.optional(),
    /** `hmac` signs each request with two headers, `bearer` sends the access key. The page of the route shows neither. */
    auth: z.enum(['hmac', 'bearer']).default('hmac'),
    /** Begins the names of the two headers: `pmock-access-key` and `pmock-access-token`. */
    headerPrefix: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/, 'must be the beginning of a header name in lower case')
      .default('pmock'),
    /**
     * Where an order is asked about, after the base URL; `{id}` stands for the task id. It is on none of pmock's pages: the
     * default is that of docs.mountsea.ai, whose pages are alike.
     */
    taskPath: z
      .string()
      .regex(/^\/.*\{id\}/, 'must begin with / and contain {id}')
      .default('/tasks?taskId={id}'),
    /** Sent as `responseFormat`. The page says that GPT image models answer in base64 whatever is asked. */
    responseFormat: z.enum(['url', 'b64_json']).default('b64_json'),
    /** `gpt-image-2` by default, the one model on the page. */
    models: modelsOption.default(['gpt-image-2']),
    /** Ten minutes by default: giving up earlier saves no money and may lose a paid picture. */
    timeoutMs: z.int().positive().default(600_000),
    /** A waiting call costs 40 KB, so the default only bounds what one accident can cost. */
    concurrency: z.int().positive().default(256),
    /** How long to wait between two questions about an order. */
    pollMs: z.int().positive().default(5000),
    /** True when the operator vouches that what failed is never billed; such orders may then be placed elsewhere. */
    unbilledFailures: z.boolean().default(false),
  })
  .refine(({ auth, secretKey }) => auth !== 'hmac' || secretKey !== undefined, {
    path: ['secretKey'],
    error: 'auth hmac signs with it',
  })

export type PmockOptions = z.output<typeof pmockOptions>
