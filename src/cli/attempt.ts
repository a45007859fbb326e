import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import type { Queries } from '../db/connection/database.ts'
import { evidenceOf, type Evidence } from './attempt/evidence.ts'
import { report } from './attempt/report.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { readConfig } from './config.ts'
import { EXIT, UsageError } from './exit.ts'

/** `darkroom attempt`. */
export const attempt: Command = {
  name: 'attempt',
  summary: 'Tell whether an attempt cost money, and what shows it',
  usage: '<id>',
  takesWords: true,
  options: [],
  notes: [
    {
      title: 'The id',
      lines: [
        ['att_…', 'of an attempt: from Task.attempts, attemptsNeedingReview, the log or an upstream'],
        ['task_…', 'of a task: tells of each of its attempts'],
      ],
    },
  ],
  examples: ['darkroom attempt att_01k…', 'darkroom attempt task_01k…'],
  run: runAttempt,
}

async function runAttempt({ words }: Arguments, { env, cwd, out, err }: Surroundings): Promise<number> {
  const [id, second] = words
  if (id === undefined || second !== undefined)
    throw new UsageError('`darkroom attempt` takes one id, of an attempt or of a task.')
  // Imported late, so that help and mistakes are answered without loading the server.
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const config = await readConfig({ env, cwd })
  const { location, seen } = await inspectDatabase(config, (q) => find(q, id, config))
  if (seen.length === 0) {
    err.write(`${err.paint('red', `There is no attempt or task ${id} in ${location}.`)}\n`)
    return EXIT.failed
  }
  out.write(seen.map((evidence) => report(evidence, systemClock.now(), out.paint)).join('\n'))
  return EXIT.ok
}

async function find(q: Queries, id: string, config: Config): Promise<Evidence[]> {
  const { findAnyAttempt, listAttempts } = await import('../db/attempts/attempts.ts')
  const one = await findAnyAttempt(q, id)
  const attempts = one ? [one] : await listAttempts(q, [id])
  return Promise.all(attempts.map((row) => evidenceOf(q, row, config.providers)))
}
