// Sends requests with the openai package. Reads a JSON list of them from the standard input: the method, its parameters, and
// the files by field, each in base64.
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import OpenAI, { toFile } from 'openai'

const { baseURL, requests } = JSON.parse(await buffer(process.stdin))
const client = new OpenAI({ apiKey: 'sk-test-key', baseURL, maxRetries: 0 })

for (const { method, parameters, files = {} } of requests) {
  const named = Object.entries(files).map(async ([field, list]) => {
    const all = await Promise.all(
      list.map(({ name, base64 }) => toFile(Buffer.from(base64, 'base64'), name, { type: 'image/png' })),
    )
    return [field, all.length === 1 ? all[0] : all]
  })
  // The fake refuses what it does not know: only what arrives there matters.
  await client.images[method]({ ...parameters, ...Object.fromEntries(await Promise.all(named)) }).catch(
    (error) => {
      if (error.status === undefined) throw error
    },
  )
}
