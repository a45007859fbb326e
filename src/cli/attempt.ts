import { z } from 'zod'
import { systemClock } from '../clock.ts'
import { CLIENT_OPTIONS, withAdminClient, type AdminClient } from './admin-client.ts'
import type { Evidence } from './attempt/evidence.ts'
import { report, reportData } from './attempt/report.ts'
import { EXIT, UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'
import { print, type Output } from './output.ts'

export const attempt: Command = {
  name: 'attempt',
  summary: 'Show whether an attempt was charged, with the evidence and the next steps',
  usage: '<id>',
  takesPositionals: true,
  options: {
    '--fetch': 'Have images downloaded now whose addresses are stored; costs nothing',
    ...CLIENT_OPTIONS,
  },
  notes: {
    IDs: {
      'att_…': 'An attempt, from Task.attempts, attemptsNeedingReview, the log or a provider',
      'task_…': 'A task: shows each of its attempts',
    },
  },
  examples: [
    'darkroom attempt att_01M8MB48F24Q2N5DGR9H3TXZAS',
    'darkroom attempt task_01M8MB48F24Q2N5DGR9H3TXZAS',
    'darkroom attempt att_01M8MB48F24Q2N5DGR9H3TXZAS --fetch',
  ],
  run: runAttempt,
}

async function runAttempt(input: Arguments, context: CommandContext): Promise<number> {
  const { positionals, flags } = input
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
  if (flags.has('fetch')) return withAdminClient(context, input, (client) => fetchAll(client, id, result))
  const now = systemClock.now()
  const text = result.map((evidence) => report(evidence, now, out.paint)).join('\n')
  print(out, input, { text, data: { attempts: result.map(reportData) } })
  return EXIT.ok
}

async function fetchAll(client: AdminClient, id: string, evidence: readonly Evidence[]): Promise<Output> {
  const attempts = evidence.filter(({ addresses }) => addresses.length > 0).map((one) => one.attempt)
  if (attempts.length === 0)
    return { text: `${id} has no address of an image that is not stored.\n`, data: { due: [] } }
  for (const { id: attemptId, projectId } of attempts)
    await client.run({
      query: 'mutation ($id: ID!) { fetchResult(input: { id: $id }) { attempt { id } } }',
      variables: { id: attemptId },
      shape: z.object({ fetchResult: z.object({ attempt: z.object({ id: z.string() }) }) }),
      projectId,
    })
  const ids = attempts.map((one) => one.id)
  const text = `${ids.join(', ')}: the download is due now. A running server does it; see \`darkroom attempt ${id}\`.\n`
  return { text, data: { due: ids } }
}
