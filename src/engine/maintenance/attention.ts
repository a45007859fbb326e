// What needs an operator's attention although no invariant is violated. Changes nothing.
import { readdir } from 'node:fs/promises'
import { findAnyAttempt, listUnattended } from '../../db/attempts/attempts.ts'
import type { Queries } from '../../db/connection/database.ts'
import { getDatabaseId } from '../../db/maintenance/data-folders.ts'
import { damagedFolderOf, readAnswerFiles, type AnswerFile } from '../attempts/received-answer.ts'

export interface AttentionFinding {
  sentence: string
  cases: string[]
}

/** For a due attempt without worker. */
const MAX_WAIT_MS = 600_000
const MAX_ANSWER_AGE_MS = 86_400_000

/** `providers`: configured names; `now`: Unix milliseconds. */
export async function findAttention(
  q: Queries,
  { spool, providers, now }: { spool: string; providers: readonly string[]; now: number },
): Promise<AttentionFinding[]> {
  const answers = await readAnswers(q, spool, now)
  return [
    {
      sentence: 'An attempt waits for a worker, and is in no list for review',
      cases: await findUnattended(q, providers),
    },
    {
      sentence: 'A received answer on disk belongs to another database',
      cases: answers.flatMap(({ foreign }) => foreign ?? []),
    },
    {
      sentence: 'A received answer on disk is older than a day',
      cases: answers.flatMap(({ old }) => old ?? []),
    },
    {
      sentence: 'A received answer on disk is damaged',
      cases: [...answers.flatMap(({ damaged }) => damaged ?? []), ...(await listSetAside(spool))],
    },
  ]
}

async function findUnattended(q: Queries, providers: readonly string[]): Promise<string[]> {
  const unattended = await listUnattended(q, { providers, overdueMs: MAX_WAIT_MS })
  return unattended.map(({ id, taskId, state, provider, runAfter }) => {
    const since = `${id} of ${taskId} is ${state} at ${provider}, and due since ${new Date(runAfter).toISOString()}.`
    return providers.includes(provider)
      ? `${since} Is a server running?`
      : `${since} The provider is not configured: configure it, or cancel the task.`
  })
}

interface AnswerCases {
  foreign?: string
  old?: string
  damaged?: string
}

async function readAnswers(q: Queries, spool: string, now: number): Promise<AnswerCases[]> {
  const databaseId = await getDatabaseId(q)
  const cases: AnswerCases[] = []
  for (const file of await readAnswerFiles(spool)) cases.push(await casesOf(q, file, { databaseId, now }))
  return cases
}

async function casesOf(
  q: Queries,
  { name, answer, modifiedAt }: AnswerFile,
  { databaseId, now }: { databaseId: string; now: number },
): Promise<AnswerCases> {
  if (!answer) return { damaged: name }
  if (answer.databaseId !== null && answer.databaseId !== databaseId)
    return {
      foreign: `${name}, of the database ${answer.databaseId}. A start with that database settles it.`,
    }
  const attempt = await findAnyAttempt(q, answer.attemptId)
  if (!attempt) return { foreign: `${name}: its attempt is not in this database.` }
  if (modifiedAt > now - MAX_ANSWER_AGE_MS) return {}
  const receivedAt = new Date(modifiedAt).toISOString()
  return { old: `${name}, received at ${receivedAt}; its attempt is ${attempt.state}. Is a server running?` }
}

async function listSetAside(spool: string): Promise<string[]> {
  const folder = damagedFolderOf(spool)
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name.endsWith('.json')).map((name) => `${name}, moved to ${folder}`)
}
