import type { TaskRow } from '../../db/tables/tables.ts'
import type { Answer, AnswerOptions } from './answer.ts'
import type { RestExchange } from './deps.ts'
import type { NewCall, OpenCall } from './open-calls.ts'
import type { CreateRequest } from './read-request.ts'
import { resultHeaders } from './result.ts'

/** A request and its task. */
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

/** Images that arrive after the client was told that the outcome is unknown are due to it. */
export function reachedState({ result, problem }: Answer): 'TOLD_UNKNOWN' | 'DELIVERED' {
  return problem && result.task.status === 'OUTCOME_UNKNOWN' ? 'TOLD_UNKNOWN' : 'DELIVERED'
}
