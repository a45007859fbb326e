// Calls LangChain as its parent says, over IPC.
import process from 'node:process'
import { DallEAPIWrapper } from '@langchain/openai'
import { serve } from './rest-serve.mjs'

serve(
  { generate: (open, { prompt, ...params }) => open(params).invoke(prompt) },
  ({ url }, fetch) =>
    (params) =>
      new DallEAPIWrapper({ apiKey: 'test', configuration: { baseURL: `${url}/v1`, fetch }, ...params }),
)
process.send('ready')
