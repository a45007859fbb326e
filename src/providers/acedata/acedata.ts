// Ace Data Cloud: docs.acedata.cloud, "Images Generations", "Images Edits" and "Tasks". It replies with the result, or
// with a task that calls back or is polled.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { createImagesClient } from '../images-api/client.ts'
import { entryFromEnvironment } from '../images-api/options.ts'
import type { Call, Dialect, Provider } from '../provider.ts'
import { acedataOptions, offersOf, type AcedataOptions } from './options.ts'
import { readCallback, readFound, readSubmitted, readTask } from './reply.ts'
import { isCalledBack, toMessage, toQuery } from './request.ts'

export const acedata: Dialect<AcedataOptions> = {
  options: acedataOptions,
  fromEnvironment: (env) => entryFromEnvironment(env, 'ACEDATA'),
  create: createAcedata,
}

function createAcedata(name: string, options: AcedataOptions): Provider {
  const { baseUrl, apiKey, mode, concurrency, timeoutMs, unbilledFailures } = options
  const client = createImagesClient({
    ...options,
    name,
    secrets: [apiKey],
    unbilled: unbilledFailures ? 'FAILURES' : 'NOTHING',
  })
  const modes = {
    auto: ['CALLBACK', 'POLL'],
    callback: ['CALLBACK'],
    async: ['POLL'],
    sync: ['SYNC'],
  } as const

  // Where a callback is expected, checks only guard against its loss.
  const checkAfterMs = (call: Call) => (isCalledBack(options, call) ? options.callbackPollMs : options.pollMs)

  return {
    name,
    dialect: 'acedata',
    traits: {
      modes: modes[mode],
      recovery: mode === 'sync' ? 'NONE' : 'CLIENT_REF',
      failureCharge: unbilledFailures ? 'NO' : 'UNKNOWN',
    },
    offers: offersOf(options),
    concurrency,
    timeoutMs,
    loopback: isLoopback(baseUrl),

    async submit(request, call) {
      const reply = await client.submit(await toMessage(request, call, { ...options, name }), call)
      return readSubmitted(reply, call, checkAfterMs(call))
    },

    async check(remoteId, _settings, call) {
      const reply = await client.ask(toQuery({ id: remoteId }, options), call)
      return readTask(reply, remoteId, call, checkAfterMs(call))
    },

    // A synchronous request is on no record.
    ...(mode !== 'sync' && {
      async find(clientRef, call) {
        return readFound(await client.ask(toQuery({ trace_id: clientRef }, options), call), clientRef, call)
      },
    }),

    redact: (text) => client.redact(text),
    readCallback: (body) => readCallback(body, name),
    close: () => client.close(),
  }
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')
}
