// Event ids name the task, so that any process can continue the stream.
import { z } from 'zod'
import { gatewayErrorOf } from '../../errors.ts'
import { identityOf, type CallIdentity } from './call-key.ts'
import { getTaskTool } from './get-task.ts'
import { editImage, generateImage } from './make-image.ts'
import { readArguments, type McpContext } from './tool.ts'

const ID = z.union([z.string().max(300), z.number()])

const TICKET = z.object({
  /** Of the JSON-RPC request. */
  id: ID,
  progressToken: ID.optional(),
  call: z.union([
    z.object({ key: z.string().max(255) }),
    z.object({ prefix: z.string().regex(/^mcp[0-9a-f]{40}$/) }),
    z.object({ taskId: z.string().max(100) }),
  ]),
})

export type Ticket = z.output<typeof TICKET>

const WAITING_CALL = z.object({
  id: ID,
  method: z.literal('tools/call'),
  params: z.object({
    name: z.string(),
    arguments: z.record(z.string(), z.unknown()).default({}),
    _meta: z.object({ progressToken: ID.optional() }).optional(),
  }),
})

/** Undefined for a message without a wait, and for invalid arguments. */
export function ticketOf(message: unknown, { caller }: Pick<McpContext, 'caller'>): Ticket | undefined {
  const parsed = WAITING_CALL.safeParse(message)
  if (!parsed.success) return undefined
  const { id, params } = parsed.data
  const { _meta: meta, ...named } = params
  const call = waitedFor(named, caller)
  return call && { id, progressToken: meta?.progressToken, call }
}

function waitedFor(
  { name, arguments: given }: { name: string; arguments: Record<string, unknown> },
  caller: McpContext['caller'],
): CallIdentity | { taskId: string } | undefined {
  try {
    for (const tool of [generateImage, editImage])
      if (tool.name === name) return identityOf(name, readArguments(tool.input, given), caller)
    const taskId = given['task_id']
    return name === getTaskTool.name && typeof taskId === 'string' ? { taskId } : undefined
  } catch (error) {
    if (gatewayErrorOf(error)) return undefined
    throw error
  }
}

/** `number` makes ids of one stream differ. */
export function encodeTicket(ticket: Ticket, number: number): string {
  return `${Buffer.from(JSON.stringify(ticket)).toString('base64url')}.${number}`
}

/** Undefined for an id that this server did not make. */
export function decodeTicket(eventId: string): Ticket | undefined {
  try {
    const text = Buffer.from(eventId.split('.')[0] ?? '', 'base64url').toString('utf8')
    return TICKET.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
