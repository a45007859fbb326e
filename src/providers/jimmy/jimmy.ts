// docs.jimmyai.cn. Tasks take ratio and resolution, the synchronous route pixels.
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
  const { mode, pollMs } = options
  const client = createImagesClient(name, options, [options.apiKey])
  const modes = { auto: ['POLL', 'SYNC'], async: ['POLL'], sync: ['SYNC'] } as const
  return {
    ...client.provider({
      dialect: 'jimmy',
      offers: offersOf(options),
      modes: modes[mode],
      recovery: mode === 'sync' ? 'NONE' : 'REMOTE_ID',
    }),

    async submit(request, call) {
      const { message, resolved } = await toSubmit(request, options, name)
      return readSubmitted(await client.submit(message, call), call, { resolved, pollMs })
    },

    async check(remoteId, settings, call) {
      const path = `/images/${encodeURIComponent(remoteId)}`
      const reply = await client.ask({ method: 'GET', path, headers: authorization(options) }, call)
      return readTask(reply, remoteId, call, { resolved: taskResolved(settings, options), pollMs })
    },
  }
}
