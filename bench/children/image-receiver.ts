// Receives many large images at once, in one of two ways. Measures one call, because the peak of memory never falls.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { z } from 'zod'
import { DEFAULT_SETTINGS } from '../../src/domain.ts'
import { createOpenaiDialect } from '../../src/providers/openai/openai.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { serve, clock, peakRssMb } from '../child.ts'

interface Task {
  url: string
  calls: number
}

const openai = createOpenaiDialect({})

const ORDER: ProviderRequest = {
  ...DEFAULT_SETTINGS,
  operation: 'GENERATE',
  prompt: 'a very large image',
  upstreamModel: 'gpt-image-2',
  size: '1024x1024',
  quality: 'HIGH',
  images: [],
  mask: null,
  markup: null,
}

const REPLY = z.object({ data: z.tuple([z.object({ b64_json: z.string() })]) })

const verbs = {
  /** As the gateway: the dialect decodes images into files while they arrive. */
  async dialect({ url, calls }: Task) {
    const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
    const provider = openai.create('bench', openai.options.parse({ baseUrl: url, apiKey: 'bench' }))
    let files = 0
    const measured = await measure(calls, async (n) => {
      const reply = await provider.submit(ORDER, {
        signal: AbortSignal.timeout(60_000),
        clientRef: `att_${n}`,
        newFile: () => join(folder, String(files++)),
        onWire() {},
        onProgress() {},
        onPartial: async () => {},
      })
      if (reply.state !== 'DONE' || reply.images.length !== 1) throw new Error(JSON.stringify(reply))
    })
    await provider.close()
    await rm(folder, { recursive: true })
    return measured
  },

  /** As is common: JSON in memory. */
  json({ url, calls }: Task) {
    const images: Buffer[] = []
    return measure(calls, async () => {
      const response = await fetch(`${url}/images/generations`, {
        method: 'POST',
        body: JSON.stringify(ORDER),
      })
      const { data } = REPLY.parse(await response.json())
      images.push(Buffer.from(data[0].b64_json, 'base64'))
    })
  },
}

export type ImageReceiverVerbs = typeof verbs

serve(verbs)

async function measure(calls: number, one: (n: number) => Promise<void>) {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const baseMb = peakRssMb()
  const start = clock()
  delay.enable()
  await Promise.all(Array.from({ length: calls }, (_, n) => one(n)))
  delay.disable()
  return { baseMb, peakMb: peakRssMb(), ms: clock() - start, maxMs: delay.max / 1e6 }
}
