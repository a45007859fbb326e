// A gateway as a process of its own: its configuration is the file named by DARKROOM_CONFIG. Says its URL to the
// process that forked it, and ends with it.
import { loadConfig } from '../../src/config/config.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'
import { requestRule } from '../../src/providers/wire/address.ts'

// Input images may come from the test's own server.
const inputRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }

const config = await loadConfig({ env: process.env, cwd: process.cwd() })
const gateway = await createGateway(config, { log: createLog(config.logLevel), inputRule })
process.once('disconnect', () => void gateway.stop({ deadlineMs: 0 }).finally(() => process.exit()))
const { url } = await gateway.start()
process.send?.(url)
