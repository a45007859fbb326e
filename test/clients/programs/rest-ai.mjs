// Calls the AI SDK as its parent says, over IPC.
import process from 'node:process'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateImage } from 'ai'
import { serve } from './rest-serve.mjs'

const bytes = (base64) => Buffer.from(base64, 'base64')

async function generate(open, { provider, model = 'gpt-image-2', images, mask, prompt, ...params }) {
  const {
    images: made,
    warnings,
    usage,
  } = await generateImage({
    model: open[provider](model),
    prompt: images ? { text: prompt, images: images.map(bytes), ...(mask && { mask: bytes(mask) }) } : prompt,
    ...params,
  })
  return { images: made.map(({ base64 }) => base64), warnings, usage }
}

serve({ generate }, ({ url }, fetch) => {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: 'test', fetch })
  const compatible = createOpenAICompatible({ name: 'darkroom', baseURL: `${url}/v1`, apiKey: 'test', fetch })
  return { openai: (id) => openai.image(id), compatible: (id) => compatible.imageModel(id) }
})
process.send('ready')
