import { systemClock } from '../clock.ts'
import { report } from './attempt/report.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'

export const attempt: Command = {
  name: 'attempt',
  summary: 'Show whether an attempt was charged, with the evidence and the next steps',
  usage: '<id>',
  takesPositionals: true,
  notes: {
    IDs: {
      'att_…': 'An attempt, from Task.attempts, attemptsNeedingReview, the log or a provider',
      'task_…': 'A task: shows each of its attempts',
    },
  },
  examples: [
    'darkroom attempt att_01M8MB48F24Q2N5DGR9H3TXZAS',
    'darkroom attempt task_01M8MB48F24Q2N5DGR9H3TXZAS',
  ],
  run: runAttempt,
}

async function runAttempt({ positionals }: Arguments, context: CommandContext): Promise<number> {
  const { out, err } = context
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0)
    throw new UsageError('`darkroom attempt` takes one ID, of an attempt or a task.')
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { findEvidence } = await import('./attempt/evidence.ts')
  const config = await readConfig(context)
  const { location, result } = await inspectDatabase(config, (q) => findEvidence(q, id, config.providers))
  if (result.length === 0) {
    err.write(`${err.paint('red', `There is no attempt or task ${id} in ${location}.`)}\n`)
    return EXIT.failed
  }
  const now = systemClock.now()
  out.write(result.map((evidence) => report(evidence, now, out.paint)).join('\n'))
  return EXIT.ok
}
