// The failures that docs/providers.md lists, in the format of each upstream.
import type { CannedReply, Scenario } from '../providers/upstreams/fake.ts'
import { basicError } from '../providers/upstreams/basic.ts'
import { pmockReply, taskReply } from '../providers/upstreams/pmock.ts'
import type { Page } from './pages.ts'

const CONNECTION_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'the connection is closed before the request was written': 'reset-at-accept',
  'the connection is lost before the response': 'reset-after-request',
  'the connection is lost within the response': 'truncated',
  'the response is a web page with status 200': 'html',
  'the response is an empty success': 'empty-data',
}

export function connectionScenario(event: string): Scenario {
  const scenario = CONNECTION_SCENARIOS[event]
  if (!scenario) throw new Error(`There is no scenario for ${event}`)
  return scenario
}

/** `401 invalid_token "no"`: the status, and the code and message of the body. A status alone has another body. */
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

/** `task 500 "internal error"`: a task that failed with this code and message. */
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
