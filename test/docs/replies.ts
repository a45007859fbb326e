// Failures as docs/providers.md writes them down, in the form that each upstream gives them.
import type { CannedReply, Scenario } from '../providers/upstreams/fake.ts'
import { basicError } from '../providers/upstreams/basic.ts'
import { pmockReply, taskReply } from '../providers/upstreams/pmock.ts'
import type { Page } from './pages.ts'

const MISHAPS: Readonly<Record<string, Scenario>> = {
  'the connection is closed before the request was written': 'reset-at-accept',
  'the connection is lost before the reply': 'reset-after-request',
  'the connection is lost within the reply': 'truncated',
  'the reply is a web page with status 200': 'html',
  'the reply is a success with nothing in it': 'empty-data',
}

export function mishap(sentence: string): Scenario {
  const mood = MISHAPS[sentence]
  if (!mood) throw new Error(`Nobody knows how to make it happen that ${sentence}`)
  return mood
}

/** `401 invalid_token "no"`: the status, and the code and message of the body; a status alone has no body of the API's. */
export function replyOf({ dialect }: Page, text: string): CannedReply {
  const [, digits, code, message = ''] = /^(\d{3})(?: (\S+) "(.*)")?$/.exec(text) ?? []
  const status = Number(digits)
  if (code === undefined) return { status, body: 'Not for you' }
  if (dialect === 'basic') return basicError(status, code, message)
  if (dialect === 'jimmy') return { status, body: { code: Number(code), msg: message, data: null } }
  if (dialect === 'acedata') {
    return { status, body: { success: false, error: { code, message }, trace_id: 'trace-1' } }
  }
  return { ...pmockReply(Number(code), null, message), status }
}

/** `task 500 "internal error"`: a task that ended so. */
export function taskReplyOf({ dialect }: Page, text: string, id: string): CannedReply {
  const [, code = '', message] = /^task (\S+) "(.*)"$/.exec(text) ?? []
  if (dialect === 'pmock') {
    return taskReply({ taskId: id, status: 'failed', errorCode: Number(code), errorMessage: message })
  }
  if (dialect === 'jimmy') {
    const data = { task_id: id, status: code, progress: 0, result: null, error_message: message }
    return { status: 200, body: { code: '20000', msg: 'ok', data } }
  }
  const response = { success: false, task_id: id, trace_id: 'trace-1', error: { code, message } }
  return { status: 200, body: { id, trace_id: 'trace-1', finished_at: 1_780_002_061.9, response } }
}
