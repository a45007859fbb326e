// The fields of the five pages, with the values they list. Copied from the pages, not from the adapters.

export interface Page {
  /** As in docs/providers.md. */
  title: string
  dialect: string
  /** Options of the provider, besides base URL and credentials. */
  entry: Record<string, unknown>
  request: Record<string, readonly string[]>
  response: readonly string[]
}

const BACKGROUNDS = ['transparent', 'opaque', 'auto']
const FORMATS = ['png', 'jpeg', 'webp']
const PMOCK = {
  prompt: [],
  model: ['gpt-image-2'],
  n: [],
  quality: ['auto', 'low', 'medium', 'high', 'standard'],
  background: BACKGROUNDS,
  outputFormat: FORMATS,
  outputCompression: [],
  moderation: ['auto', 'low'],
  responseFormat: ['url', 'b64_json'],
  inputFidelity: ['high', 'low'],
}

export const PAGES: readonly Page[] = [
  {
    title: 'docs.pmock.com "openai generate async"',
    dialect: 'pmock',
    entry: { auth: 'bearer' },
    request: { ...PMOCK, size: ['auto', '1024x1024', '1024x1536', '1536x1024'], image: [], mask: [] },
    response: ['code', 'message', 'data', 'data.taskId', 'traceId'],
  },
  {
    title: 'docs.pmock.com "openai compat generate"',
    dialect: 'openai',
    entry: { preset: 'pmock', naming: 'camel' },
    request: {
      ...PMOCK,
      size: [
        'auto',
        '1024x1024',
        '1024x1536',
        '1536x1024',
        '2048x2048',
        '2048x1152',
        '3840x2160',
        '2160x3840',
      ],
      partialImages: [],
      user: [],
    },
    // "The response is of type object", and its example is empty.
    response: [],
  },
  {
    title: 'OceanBase Cloud AI API "images/generations"',
    dialect: 'basic',
    entry: {},
    request: {
      Authorization: [],
      'Content-Type': ['application/json'],
      model: ['gpt-image-2'],
      prompt: [],
      size: ['1024x1024'],
      n: ['1'],
    },
    response: [
      'created',
      'data',
      'data[].url',
      'data[].b64_json',
      'data[].revised_prompt',
      'usage',
      'error.message',
      'error.type',
      'error.code',
    ],
  },
  {
    title: 'docs.jimmyai.cn "Text-to-Image (Sync)"',
    dialect: 'jimmy',
    entry: { mode: 'sync' },
    request: {
      Authorization: [],
      prompt: [],
      model: ['gpt-image-2'],
      size: ['1024x1024'],
      n: ['1'],
      quality: ['low', 'medium', 'high', 'auto'],
      background: BACKGROUNDS,
      output_format: FORMATS,
    },
    response: [
      'code',
      'msg',
      'data',
      'data.created',
      'data.data',
      'data.data[].b64_json',
      'data.data[].url',
      'data.data[].revised_prompt',
      'data.model',
      'data.usage.input_tokens',
      'data.usage.output_tokens',
      'data.usage.total_tokens',
      'data.usage.input_tokens_details.image_tokens',
      'data.usage.input_tokens_details.text_tokens',
      'data.usage.output_tokens_details.image_tokens',
      'data.usage.output_tokens_details.text_tokens',
    ],
  },
  {
    title: 'AceData "Openai Images Generations"',
    dialect: 'acedata',
    entry: { mode: 'sync' },
    request: {
      Authorization: [],
      accept: ['application/json'],
      prompt: [],
      model: ['dall-e-3', 'gpt-image-1', 'gpt-image-1.5'],
      background: BACKGROUNDS,
      moderation: ['low', 'auto'],
      n: [],
      output_compression: [],
      output_format: FORMATS,
      partial_images: [],
      size: ['1024x1024', '1792x1024', '1024x1792', '1536x1024', '1024x1536', '256x256', '512x512', 'auto'],
      quality: ['auto', 'high', 'medium', 'low', 'hd', 'standard'],
      response_format: ['url', 'b64_json'],
      style: ['vivid', 'natural'],
      callback_url: [],
    },
    response: [
      'data',
      'data[].url',
      'data[].b64_json',
      'data[].revised_prompt',
      'created',
      'task_id',
      'trace_id',
      'success',
      'error',
    ],
  },
]
