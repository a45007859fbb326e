import { createLog } from '../log.ts'
import { EXIT, type Command } from './command.ts'
import { closeProviders, loadConfig } from './config.ts'
import { JSON_OPTION, print } from './output.ts'
import { warn } from './screen.ts'

export const migrate: Command = {
  name: 'migrate',
  summary: 'Apply database migrations',
  options: JSON_OPTION,
  notes: {
    'When to use it': {
      'one process': 'Never: `darkroom serve` applies migrations when it starts',
      'several processes': 'Before a rollout. Concurrent calls wait for each other',
    },
  },
  examples: ['darkroom migrate', 'DATABASE_URL=postgres://… darkroom migrate'],
  run: async (input, context) => {
    const config = await loadConfig(context)
    warn(config.warnings, context.err)
    const { makeDataDir } = await import('../config/data-dir.ts')
    const { openDatabase } = await import('../db/open.ts')
    const { databaseUrl, dataDir, logLevel } = config
    await makeDataDir(dataDir)
    const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog(logLevel) })
    await db.close()
    await closeProviders(config)
    print(context.out, input, { text: `${db.location} is up to date.\n`, data: { database: db.location } })
    return EXIT.ok
  },
}
