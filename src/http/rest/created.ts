import type { TaskRow } from '../../db/tables/tables.ts'
import type { Answer, AnswerOptions } from './answer.ts'
import type { RestExchange } from './deps.ts'
import type { NewCall, OpenCall } from './open-calls.ts'
import type { CreateRequest } from './read-request.ts'
import { resultHeaders } from './result.ts'
import { hasAnswer } from './wait.ts'

export interface Created {
  exchange: RestExchange
  read: CreateRequest
  call: NewCall
  open: OpenCall
  task: TaskRow
  headers: Record<string, string>
}

export function optionsOf({ read, call }: Pick<Created, 'read' | 'call'>): AnswerOptions {
  const { isForm, warnings } = read
  return { isForm, warnings, isKeyed: call.isKeyed, attaches: call.attaches }
}

export function headersOf({ headers }: Created, { result, warnings }: Answer): Record<string, string> {
  return { ...headers, ...resultHeaders(result, warnings) }
}

/** Records what the client is about to hear, before it can ask again. */
export async function recordAnswer({ open }: Created, { result, problem }: Answer): Promise<void> {
  if (!problem) return
  if (!hasAnswer(result.task)) await open.giveUp()
  else if (result.task.status === 'OUTCOME_UNKNOWN') await open.tellUnknown()
}
