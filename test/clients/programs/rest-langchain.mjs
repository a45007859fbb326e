// Calls LangChain as its parent says, over IPC.
import process from 'node:process'
import { DallEAPIWrapper } from '@langchain/openai'
import { serve } from './rest-serve.mjs'

serve({ generate: (open, { prompt, ...params }) => open(params).invoke(prompt) }, ({ url }, fetch) => {
  // It has no option for it.
  globalThis.fetch = fetch
  return (params) => new DallEAPIWrapper({ apiKey: 'test', baseUrl: `${url}/v1`, ...params })
})
process.send('ready')
