// A gateway with traces as a process of its own, set up as `darkroom serve` does it. Its configuration is the file named by
// DARKROOM_CONFIG; it says its URL to the process that forked it, and ends with it.
import { loadConfig } from '../../src/config/config.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { openTracing } from '../../src/telemetry/open.ts'
import { ANY_ADDRESS } from './any-address.ts'

const config = await loadConfig({ env: process.env, cwd: process.cwd() })
const tracing = await openTracing(process.env, (sentence) => void process.stderr.write(`${sentence}\n`))
const log = createLog(config.logLevel, undefined, {
  redact: config.redact,
  fields: () => tracing.logFields(),
})
const gateway = await createGateway(config, { log, tracing, webhookRule: ANY_ADDRESS })
process.once('disconnect', () => {
  void gateway
    .stop({ deadlineMs: 0 })
    .then(() => tracing.close())
    .finally(() => process.exit())
})
const { url } = await gateway.start()
process.send?.(url)
