// Jimmy AI: docs.jimmyai.cn. Two ways to a picture: one that waits for it and takes pixels, and one that makes a task,
// takes a ratio and a resolution, and can be asked about after a crash.
import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, type Reply } from '../wire/http.ts'
import { jimmyOptions, offersOf, type JimmyOptions } from './options.ts'
import { authorization, taskResolved, toPlaced } from './request.ts'
import { readPlaced, readTask, type Reading } from './reply.ts'
import type { Call, Dialect, Provider, ResolvedSettings, Workings } from '../provider.ts'

export const jimmy: Dialect<JimmyOptions> = {
  options: jimmyOptions,

  fromEnvironment(env) {
    if (!env.JIMMY_API_KEY) return undefined
    return { apiKey: env.JIMMY_API_KEY, ...(env.JIMMY_BASE_URL && { baseUrl: env.JIMMY_BASE_URL }) }
  },

  create: createJimmy,
}

function createJimmy(name: string, options: JimmyOptions): Provider {
  const { baseUrl, apiKey, concurrency, timeoutMs, pollMs, unbilledFailures } = options
  const upstream = createUpstream({ name, baseUrl, timeoutMs, secrets: [apiKey] })
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: 128 * 1024 * 1024 })

  const clean = (text: string) => upstream.clean(text)

  function readingOf(reply: Reply, call: Call, resolved: ResolvedSettings): Reading {
    const { status, contentType, requestId, retryAfterMs } = reply
    return {
      facts: { provider: name, clean, status, contentType, requestId, retryAfterMs, unbilledFailures },
      async fetchLink(url) {
        const file = call.newFile()
        await downloader.download(url, file, call.signal)
        return file
      },
      resolved,
      pollMs,
    }
  }

  return {
    name,
    dialect: 'jimmy',
    workings: workingsOf(options),
    offers: offersOf(options),
    concurrency,
    timeoutMs,

    async submit(order, call) {
      const { message, resolved } = await toPlaced(order, options)
      const reply = await upstream.place(message, call)
      return readPlaced(reply, call, readingOf(reply, call, resolved))
    },

    async check(remoteId, settings, call) {
      const path = `/images/${encodeURIComponent(remoteId)}`
      const reply = await upstream.send({ method: 'GET', path, headers: authorization(options) }, call)
      return readTask(reply, remoteId, call, readingOf(reply, call, taskResolved(settings, options)))
    },

    async close() {
      await Promise.all([upstream.close(), downloader.close()])
    },
  }
}

function workingsOf({ mode, unbilledFailures }: JimmyOptions): Workings {
  const modes = { auto: ['POLL', 'SYNC'], async: ['POLL'], sync: ['SYNC'] } as const
  const recovery = mode === 'sync' ? 'NONE' : 'REMOTE_ID'
  return { modes: modes[mode], recovery, failureCharge: unbilledFailures ? 'NO' : 'UNKNOWN' }
}
