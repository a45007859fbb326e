// The presets with a page of facts, each with its fake and with what test/docs-presets.test.ts tries.
import type { Capabilities, ProviderRequest } from '../../src/providers/provider.ts'
import { inputOf } from '../providers/call.ts'
import { azureError, startAzureUpstream } from '../providers/upstreams/azure.ts'
import type { CannedReply } from '../providers/upstreams/fake.ts'
import { openrouterError, startOpenrouterUpstream } from '../providers/upstreams/openrouter.ts'

export const API_KEY = 'key-of-the-fake'
export const INPUT = inputOf(Buffer.from('input'))

interface Upstream {
  url: string
  requests: readonly { method?: string; path: string; parameters: Record<string, unknown> }[]
  script(reply: CannedReply): void
  close(): Promise<void>
}

export interface PresetPage {
  preset: string
  start: () => Promise<Upstream>
  upstreamModel: string
  /** In the table of facts. */
  minFacts: number
  /** Fields that are sent for `full`, with and without an input image and a partial image. */
  fields: readonly string[]
  /** Examples of each row of the table of failures, by its first cell. */
  replies: Readonly<Record<string, readonly CannedReply[]>>
  /** A request with every setting that the server takes. */
  full: Partial<ProviderRequest>
  /** In the words of the page. */
  limitOf: (can: Capabilities) => string
}

const flagged = { reasons: ['violence'], flagged_input: 'a fox', provider_name: 'OpenAI', model_slug: 'x' }
const azure = (status: number, code = 'any') => azureError(status, code, 'No.')
const router = (status: number, metadata?: object) => openrouterError(status, 'No.', metadata)

export const PRESET_PAGES: readonly PresetPage[] = [
  {
    preset: 'azure',
    start: () => startAzureUpstream({ apiKey: API_KEY }),
    upstreamModel: 'gpt-image-2',
    minFacts: 16,
    fields: [
      'model',
      'prompt',
      'n',
      'size',
      'quality',
      'output_format',
      'output_compression',
      'user',
      'stream',
      'partial_images',
    ],
    replies: {
      '401; 404 `DeploymentNotFound`': [azure(401), azure(404, 'DeploymentNotFound')],
      '404 with another code': [azure(404), azure(404, '404')],
      '400 with any other code': [azure(400), azure(400, 'invalid_value')],
      '`contentFilter`, with any status below 500': [200, 400, 403, 404, 422].map((status) =>
        azure(status, 'contentFilter'),
      ),
      '429': [azure(429, 'RateLimitReached')],
      '408, and 500 or more': [azure(408, 'Timeout'), ...[500, 502, 503, 524].map((status) => azure(status))],
    },
    full: {
      size: '1536x1024',
      quality: 'HIGH',
      outputFormat: 'JPEG',
      outputCompression: 80,
      user: 'user-1',
      safetyIdentifier: 'user-1',
      n: 2,
    },
    limitOf: ({ outputFormats }) => `\`output_format\` ${outputFormats.join(' and ')};`,
  },
  {
    preset: 'openrouter',
    start: () => startOpenrouterUpstream({ apiKey: API_KEY }),
    upstreamModel: 'openai/gpt-image-2',
    minFacts: 16,
    fields: [
      'model',
      'prompt',
      'n',
      'size',
      'quality',
      'background',
      'output_format',
      'output_compression',
      'input_references',
      'stream',
    ],
    replies: {
      '400': [router(400)],
      '401; 403 without `metadata.reasons`': [router(401), router(403), router(403, { provider_name: 'x' })],
      '402': [router(402)],
      '403 with `metadata.reasons`': [router(403, flagged)],
      '429': [router(429)],
      '408, 500 and more, and an error with status 200': [
        ...[408, 500, 502, 503, 524, 529].map((status) => router(status)),
        { ...router(502), status: 200 },
      ],
    },
    full: {
      size: '2048x2048',
      quality: 'MEDIUM',
      background: 'OPAQUE',
      outputFormat: 'WEBP',
      outputCompression: 80,
      images: [INPUT],
      n: 2,
    },
    limitOf: ({ maxInputImages }) => `\`input_references\`: up to ${maxInputImages} objects`,
  },
]
