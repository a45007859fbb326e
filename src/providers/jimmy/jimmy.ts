// Jimmy AI: docs.jimmyai.cn. A synchronous route takes pixels. Tasks take a ratio and a resolution, and can be checked
// after a crash.
import { createImagesClient } from '../images-api/client.ts'
import { entryFromEnvironment } from '../images-api/options.ts'
import type { Dialect, Provider } from '../provider.ts'
import { jimmyOptions, offersOf, type JimmyOptions } from './options.ts'
import { readSubmitted, readTask } from './reply.ts'
import { authorization, taskResolved, toSubmit } from './request.ts'

export const jimmy: Dialect<JimmyOptions> = {
  options: jimmyOptions,
  fromEnvironment: (env) => entryFromEnvironment(env, 'JIMMY'),
  create: createJimmy,
}

function createJimmy(name: string, options: JimmyOptions): Provider {
  const { apiKey, mode, concurrency, timeoutMs, pollMs, unbilledFailures } = options
  const client = createImagesClient({
    ...options,
    name,
    secrets: [apiKey],
    unbilled: unbilledFailures ? 'FAILURES' : 'NOTHING',
  })
  const modes = { auto: ['POLL', 'SYNC'], async: ['POLL'], sync: ['SYNC'] } as const
  return {
    name,
    dialect: 'jimmy',
    traits: {
      modes: modes[mode],
      recovery: mode === 'sync' ? 'NONE' : 'REMOTE_ID',
      failureCharge: unbilledFailures ? 'NO' : 'UNKNOWN',
    },
    offers: offersOf(options),
    concurrency,
    timeoutMs,

    async submit(request, call) {
      const { message, resolved } = await toSubmit(request, options, name)
      return readSubmitted(await client.submit(message, call), call, { resolved, pollMs })
    },

    async check(remoteId, settings, call) {
      const path = `/images/${encodeURIComponent(remoteId)}`
      const reply = await client.ask({ method: 'GET', path, headers: authorization(options) }, call)
      return readTask(reply, remoteId, call, { resolved: taskResolved(settings, options), pollMs })
    },

    close: () => client.close(),
  }
}
