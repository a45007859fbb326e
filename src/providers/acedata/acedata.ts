// Ace Data Cloud: docs.acedata.cloud, "Images Generations", "Images Edits" and "Tasks". Answers at once, or takes a task
// on record and calls back, or waits to be asked.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isCalledBack, toMessage, toQuestion } from './request.ts'
import { acedataOptions, offersOf, type AcedataOptions } from './options.ts'
import { readCallback, readFound, readPlaced, readRecord, type Reading } from './reply.ts'
import { replyRule } from '../wire/address.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, type Reply } from '../wire/http.ts'
import type { Call, Dialect, Provider, ProviderTraits } from '../provider.ts'

export const acedata: Dialect<AcedataOptions> = {
  options: acedataOptions,

  fromEnvironment(env) {
    if (!env.ACEDATA_API_KEY) return undefined
    return { apiKey: env.ACEDATA_API_KEY, ...(env.ACEDATA_BASE_URL && { baseUrl: env.ACEDATA_BASE_URL }) }
  },

  create: createAcedata,
}

function createAcedata(name: string, options: AcedataOptions): Provider {
  const { baseUrl, apiKey, concurrency, timeoutMs, unbilledFailures } = options
  const upstream = createUpstream({ name, baseUrl, timeoutMs, secrets: [apiKey] })
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: 128 * 1024 * 1024 })

  const clean = (text: string) => upstream.clean(text)

  function readingOf(reply: Reply, call: Call): Reading {
    const { status, contentType, requestId, retryAfterMs } = reply
    return {
      facts: { provider: name, clean, status, contentType, requestId, retryAfterMs, unbilledFailures },
      async fetchLink(url) {
        const file = call.newFile()
        await downloader.download(url, file, call.signal)
        return file
      },
      // Where a callback will wake us, asking only guards against one that never comes.
      checkAfterMs: isCalledBack(options, call) ? options.callbackPollMs : options.pollMs,
    }
  }

  return {
    name,
    dialect: 'acedata',
    traits: traitsOf(options),
    offers: offersOf(options),
    concurrency,
    timeoutMs,
    loopback: isLoopback(baseUrl),

    async submit(request, call) {
      const reply = await upstream.place(await toMessage(request, call, options), call)
      return readPlaced(reply, call, readingOf(reply, call))
    },

    async check(remoteId, _settings, call) {
      const reply = await upstream.send(toQuestion({ id: remoteId }, options), call)
      return readRecord(reply, remoteId, call, readingOf(reply, call))
    },

    // What was placed at once is on no record there, so that mode has no question to ask.
    ...(options.mode !== 'sync' && {
      async find(clientRef, call) {
        const reply = await upstream.send(toQuestion({ trace_id: clientRef }, options), call)
        return readFound(reply, clientRef, call, readingOf(reply, call))
      },
    }),

    hide: (text) => upstream.hide(text),
    receive: (body) => readCallback(body, name),

    async close() {
      await Promise.all([upstream.close(), downloader.close()])
    },
  }
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')
}

function traitsOf({ mode, unbilledFailures }: AcedataOptions): ProviderTraits {
  const modes = {
    auto: ['CALLBACK', 'POLL'],
    callback: ['CALLBACK'],
    async: ['POLL'],
    sync: ['SYNC'],
  } as const
  const recovery = mode === 'sync' ? 'NONE' : 'CLIENT_REF'
  return { modes: modes[mode], recovery, failureCharge: unbilledFailures ? 'NO' : 'UNKNOWN' }
}
