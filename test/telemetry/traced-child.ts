// A gateway process with tracing, set up like `darkroom serve`. Reads DARKROOM_CONFIG, sends its URL to the parent process,
// and ends with it.
import { loadConfig } from '../../src/config/config.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { openTracing } from '../../src/telemetry/open.ts'
import { requestRule } from '../../src/providers/wire/address.ts'

const config = await loadConfig({ env: process.env, cwd: process.cwd() })
const tracing = await openTracing(process.env, (sentence) => void process.stderr.write(`${sentence}\n`))
const log = createLog(config.logLevel, undefined, {
  redact: config.redact,
  fields: () => tracing.logFields(),
})
const gateway = await createGateway(config, {
  log,
  tracing,
  webhookRule: { ...requestRule(['http:']), ports: null, isPublic: () => true },
})
process.once('disconnect', () => {
  void gateway
    .stop({ deadlineMs: 0 })
    .then(() => tracing.close())
    .finally(() => process.exit())
})
const { url } = await gateway.start()
process.send?.(url)
