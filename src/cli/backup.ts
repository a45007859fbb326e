import { resolve } from 'node:path'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'
import { JSON_OPTION, print } from './output.ts'

export const backup: Command = {
  name: 'backup',
  summary: 'Copy the SQLite database to a file, also while the server runs',
  usage: '<file>',
  takesPositionals: true,
  options: JSON_OPTION,
  notes: {
    Contents: {
      database: 'One consistent, verified snapshot',
      images: 'Not included: copy DATA_DIR/assets after the backup. Its files never change',
      PostgreSQL: 'Not supported: use pg_dump or base backups',
    },
    Restore: {
      '1.': 'Stop the server. Replace DATA_DIR/darkroom.db; delete darkroom.db-wal and darkroom.db-shm',
      '2.': 'Start once with `darkroom serve --after-restore`: tasks that may have been sent are not',
      '': 'sent again, but marked for review',
      '3.': 'Review them: attemptsNeedingReview, `darkroom attempt <id>`, resolveAttempt',
    },
  },
  examples: ['darkroom backup /backups/darkroom-2026-11-20.db'],
  run: runBackup,
}

async function runBackup(input: Arguments, context: CommandContext): Promise<number> {
  const [file, ...more] = input.positionals
  if (file === undefined || more.length > 0)
    throw new UsageError('`darkroom backup` takes one argument: the file to write.')
  const { backUp } = await import('../db/maintenance/backup.ts')
  const { databaseUrl, dataDir } = await readConfig(context)
  if (databaseUrl !== null)
    throw new UsageError('`darkroom backup` supports SQLite only. Back up PostgreSQL with pg_dump.')
  const target = resolve(context.cwd, file)
  await backUp(dataDir, target)
  const text = `Copied the database to ${target}. Now copy ${dataDir}/assets.\n`
  print(context.out, input, { text, data: { file: target, images: `${dataDir}/assets` } })
  return EXIT.ok
}
