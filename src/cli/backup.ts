import { resolve } from 'node:path'
import type { Arguments, Command, Surroundings } from './command.ts'
import { readConfig } from './config.ts'
import { EXIT, UsageError } from './exit.ts'

/** `darkroom backup`. */
export const backup: Command = {
  name: 'backup',
  summary: 'Copy the SQLite database to a file, also while the server runs',
  usage: '<file>',
  takesWords: true,
  options: [],
  notes: [
    {
      title: 'What is in it',
      lines: [
        ['the database', 'as it is at one moment, checked before the file gets its name'],
        ['not the images', 'copy DATA_DIR/assets after it: files there never change'],
        ['PostgreSQL', 'has tools of its own: pg_dump, base backups'],
      ],
    },
    {
      title: 'Restoring',
      lines: [
        [
          '1',
          'stop the server, put the file in place of DATA_DIR/darkroom.db, remove darkroom.db-wal and -shm',
        ],
        [
          '2',
          '`darkroom serve --after-restore`, once: what waits is put in doubt, and nothing of it is sent',
        ],
        ['3', 'settle the doubts: attemptsNeedingReview, `darkroom attempt`, resolveAttempt'],
      ],
    },
  ],
  examples: ['darkroom backup /backups/darkroom-2026-11-20.db'],
  run: runBackup,
}

async function runBackup({ words }: Arguments, { env, cwd, out }: Surroundings): Promise<number> {
  const [file, ...more] = words
  if (file === undefined || more.length > 0)
    throw new UsageError('`darkroom backup` takes one word: the file to write.')
  // Imported late, so that help and mistakes are answered without loading the server.
  const { backUp } = await import('../db/maintenance/backup.ts')
  const config = await readConfig({ env, cwd })
  if (config.databaseUrl !== null)
    throw new UsageError('The database is PostgreSQL, which has tools of its own: pg_dump, for one.')
  const target = resolve(cwd, file)
  await backUp(config.dataDir, target)
  out.write(`${target} holds the database as it was just now. Copy ${config.dataDir}/assets after it.\n`)
  return EXIT.ok
}
