// Reports the packages that `help` or a gateway loads.
import { registerHooks } from 'node:module'

const loaded = new Set<string>()
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(found.url) ?? []
    if (name) loaded.add(name)
    return found
  },
})

if (process.env['RUN'] === 'help') {
  const { run } = await import('../../src/cli/main.ts')
  await run(['help'])
} else {
  const { loadConfig } = await import('../../src/config/config.ts')
  const { createGateway } = await import('../../src/gateway.ts')
  const { createLog } = await import('../../src/log.ts')
  const { openTracing } = await import('../../src/telemetry/open.ts')
  const tracing = await openTracing(process.env, () => {})
  const config = await loadConfig({ env: process.env, cwd: process.env['DATA_DIR']! })
  const gateway = await createGateway(config, { log: createLog('silent'), tracing })
  await gateway.stop({ deadlineMs: 0 })
  await tracing.close()
}
process.send?.([...loaded])
