// Calls the openai package as its parent says, over IPC.
import { createReadStream } from 'node:fs'
import process from 'node:process'
import OpenAI, { AzureOpenAI, toFile } from 'openai'
import { serve } from './rest-serve.mjs'

const files = (list) =>
  Promise.all(list.map(({ name, base64, type }) => toFile(Buffer.from(base64, 'base64'), name, { type })))

async function withImages({ images, mask, markup, ...params }) {
  const image = await files(images)
  return {
    ...params,
    image: image.length === 1 ? image[0] : image,
    ...(mask && { mask: (await files([mask]))[0] }),
    ...(markup && { markup: (await files([markup]))[0] }),
  }
}

async function listEvents(stream) {
  const events = []
  for await (const event of stream) events.push(event)
  return events
}

const RUNS = {
  generate: (client, params, options) => client.images.generate(params, options),
  generateStream: async (client, params, options) =>
    listEvents(await client.images.generate({ ...params, stream: true }, options)),
  edit: async (client, params, options) => client.images.edit(await withImages(params), options),
  editStream: async (client, params, options) =>
    listEvents(await client.images.edit({ ...(await withImages(params)), stream: true }, options)),
  editFile: (client, { path, ...params }, options) =>
    client.images.edit({ ...params, image: createReadStream(path) }, options),
  post: (client, { path, ...params }, options) => client.post(path, { ...params, ...options }),
  get: (client, { path }, options) => client.get(path, options),
  models: async (client) => (await client.models.list()).data,
  model: (client, { id }) => client.models.retrieve(id),
}

serve(RUNS, ({ url, client, azure }, fetch) =>
  azure
    ? new AzureOpenAI({ apiKey: 'test', endpoint: url, apiVersion: '2025-04-01-preview', fetch, ...client })
    : new OpenAI({ apiKey: 'test', baseURL: `${url}/v1`, fetch, ...client }),
)
process.send('ready')
