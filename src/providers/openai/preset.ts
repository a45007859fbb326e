import { toOpenaiMessage } from '../images-api/message.ts'
import { credential } from '../images-api/options.ts'
import { toOpenaiParameters } from '../images-api/parameters.ts'
import type { Preset } from '../images-api/preset.ts'
import { CATALOGUE } from '../models/catalogue.ts'
import { offersFrom } from '../models/offers.ts'

interface OwnOptions {
  organization?: string | undefined
  project?: string | undefined
}

const BASE_URL = 'https://api.openai.com/v1'

export const OPENAI: Preset<OwnOptions> = {
  baseUrl: BASE_URL,
  options: {
    organization: credential.optional(),
    project: credential.optional(),
  },
  offers: (models = currentModels()) => offersFrom(models),
  // Others may not stream.
  partialImages: (baseUrl) => (new URL(baseUrl).hostname === new URL(BASE_URL).hostname ? 'STREAM' : 'NONE'),

  credentials: ({ apiKey, organization, project }) => ({
    authorization: `Bearer ${apiKey}`,
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
  }),

  message: (request, account, stream) =>
    toOpenaiMessage(request, toOpenaiParameters(request, account, stream), stream),
}

// Models with an announced end must be named: they will fail one day.
function currentModels(): string[] {
  const names = CATALOGUE.flatMap(({ name, retiresOn }) => (retiresOn === null ? [name] : []))
  return names.filter((name) => name.startsWith('gpt-image'))
}
