// pmock's asynchronous images: docs.pmock.com, "openai generate async". One route makes a task, for generations and edits
// alike; where to ask about it is on none of its pages, so that is configuration.
import { replyRule } from '../wire/address.ts'
import { systemClock, type Clock } from '../../clock.ts'
import { createDownloader } from '../wire/download.ts'
import { createUpstream, type Reply } from '../wire/http.ts'
import { offersByPage } from '../models/page-offers.ts'
import { ASYNC_CAPABILITIES } from './capabilities.ts'
import { pmockOptions, type PmockOptions } from './options.ts'
import { toBody } from './request.ts'
import { readSubmitted, readTask, type Reading } from './reply.ts'
import { signatureHeaders } from './signature.ts'
import type { Call, Dialect, Provider } from '../provider.ts'

export const pmock: Dialect<PmockOptions> = {
  options: pmockOptions,

  // Both keys: the access key alone is that of the OpenAI-compatible route.
  fromEnvironment({ PMOCK_ACCESS_KEY: accessKey, PMOCK_SECRET_KEY: secretKey, PMOCK_BASE_URL: baseUrl }) {
    return accessKey && secretKey ? { accessKey, secretKey, ...(baseUrl && { baseUrl }) } : undefined
  },

  create: (name, options) => createPmock(name, options, systemClock),
}

/** The clock is for the signature, which holds for a minute; nothing else here knows the time. */
export function createPmock(name: string, options: PmockOptions, { now }: Pick<Clock, 'now'>): Provider {
  const { baseUrl, accessKey, secretKey = '', timeoutMs, concurrency, pollMs, unbilledFailures } = options
  const upstream = createUpstream({ name, baseUrl, timeoutMs, secrets: [accessKey, secretKey] })
  const downloader = createDownloader({ rule: replyRule(baseUrl), maxBytes: 128 * 1024 * 1024 })

  function credentials(): Record<string, string> {
    if (options.auth === 'bearer') return { authorization: `Bearer ${accessKey}` }
    return signatureHeaders({ ...options, secretKey }, now())
  }

  function readingOf(reply: Reply, call: Call, sent: Record<string, string>): Reading {
    const { status, contentType, requestId, retryAfterMs } = reply
    // A signature is a secret, too, for as long as it holds.
    const clean = (text: string) =>
      upstream.clean(Object.values(sent).reduce((rest, value) => rest.replaceAll(value, '[redacted]'), text))
    return {
      facts: { provider: name, clean, status, contentType, requestId, retryAfterMs, unbilledFailures },
      async fetchLink(url) {
        const file = call.newFile()
        await downloader.download(url, file, call.signal)
        return file
      },
      pollMs,
    }
  }

  return {
    name,
    dialect: 'pmock',
    traits: { modes: ['POLL'], recovery: 'REMOTE_ID', failureCharge: unbilledFailures ? 'NO' : 'UNKNOWN' },
    offers: offersByPage(options.models, () => ASYNC_CAPABILITIES),
    concurrency,
    timeoutMs,

    async submit(request, call) {
      const body = await toBody(request, options.responseFormat)
      const sent = credentials()
      const headers = { ...sent, 'content-type': 'application/json' }
      const reply = await upstream.place({ method: 'POST', path: '/images/generate', headers, body }, call)
      return readSubmitted(reply, call, readingOf(reply, call, sent))
    },

    async check(remoteId, _settings, call) {
      const path = options.taskPath.replaceAll('{id}', encodeURIComponent(remoteId))
      const sent = credentials()
      const reply = await upstream.send({ method: 'GET', path, headers: sent }, call)
      return readTask(reply, call, readingOf(reply, call, sent))
    },

    async close() {
      await Promise.all([upstream.close(), downloader.close()])
    },
  }
}
