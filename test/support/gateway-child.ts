// A gateway process, configured by the file in DARKROOM_CONFIG. It sends its URL to the parent, and ends with it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { loadConfig } from '../../src/config/config.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { requestRule } from '../../src/providers/wire/address.ts'

// The test's own server provides input images.
const inputRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }

const config = await loadConfig({ env: process.env, cwd: process.cwd() })
const gateway = await createGateway(config, { log: createLog(config.logLevel), inputRule })
process.once('disconnect', () => void gateway.stop({ deadlineMs: 0 }).finally(() => process.exit()))
process.once('SIGTERM', () => void gateway.stop().finally(() => process.exit()))
// For tests that measure its memory.
process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc()')
})
const { url } = await gateway.start()
process.send?.(url)
