import { createLog } from '../log.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit.ts'
import { warn } from './warn.ts'

/** `darkroom migrate`. */
export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database up to date, and nothing else',
  usage: '',
  takesWords: false,
  options: [],
  notes: [
    {
      title: 'When',
      lines: [
        ['with one process', 'never: `darkroom serve` does it at start'],
        ['with many', 'before a rollout, to see it succeed first; several at once wait for each other'],
      ],
    },
  ],
  examples: ['darkroom migrate', 'DATABASE_URL=postgres://… darkroom migrate'],
  run: async (_, { env, cwd, out, err }) => {
    // Imported late, so that help and mistakes are answered without loading the server.
    const { loadConfig } = await import('../config/config.ts')
    const config = await loadConfig({ env, cwd })
    for (const warning of config.warnings) warn(warning, err)
    const { makeDataDir } = await import('../config/data-dir.ts')
    const { openDatabase } = await import('../db/open.ts')
    await makeDataDir(config.dataDir)
    const db = await openDatabase({
      databaseUrl: config.databaseUrl,
      dataDir: config.dataDir,
      onWakeUp: () => {},
      log: createLog(config.logLevel),
    })
    await db.close()
    await Promise.all(config.providers.map((provider) => provider.close()))
    out.write(`${db.location} is up to date.\n`)
    return EXIT.ok
  },
}
