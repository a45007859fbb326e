// docs.acedata.cloud, "Images Generations", "Images Edits" and "Tasks".
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
  const { baseUrl, mode } = options
  const client = createImagesClient(name, options, [options.apiKey])
  const modes = {
    auto: ['CALLBACK', 'POLL'],
    callback: ['CALLBACK'],
    async: ['POLL'],
    sync: ['SYNC'],
  } as const
  const checkAfterMs = (call: Call) => (isCalledBack(options, call) ? options.callbackPollMs : options.pollMs)

  return {
    ...client.provider({
      dialect: 'acedata',
      offers: offersOf(options),
      modes: modes[mode],
      recovery: mode === 'sync' ? 'NONE' : 'CLIENT_REF',
    }),
    loopback: isLoopback(baseUrl),

    async submit(request, call) {
      const reply = await client.submit(await toMessage(request, call, { ...options, name }), call)
      return readSubmitted(reply, call, checkAfterMs(call))
    },

    async check(remoteId, _settings, call) {
      const reply = await client.ask(toQuery({ id: remoteId }, options), call)
      return readTask(reply, remoteId, call, checkAfterMs(call))
    },

    // Synchronous requests are on no record.
    ...(mode !== 'sync' && {
      async find(clientRef, call) {
        return readFound(await client.ask(toQuery({ trace_id: clientRef }, options), call), clientRef, call)
      },
    }),

    redact: (text) => client.redact(text),
    readCallback: (body) => readCallback(body, name),
  }
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')
}
