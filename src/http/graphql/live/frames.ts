// Serialised results, the same bytes for all viewers of a group.
import type { ExecutionResult, GraphQLError } from 'graphql'
import { toGraphQLError } from '../mask.ts'

export interface Frame {
  /** Of its event in the log. */
  position: number
  /** A GraphQL result as JSON. */
  payload: Buffer
}

export interface Frames {
  /** Undefined without any. */
  after(position: number): Frames | undefined
  /** Of graphql-transport-ws, for the operation with this id. */
  messages(id: string): readonly Buffer[]
  /** In the event stream format. */
  events(): Buffer
  /** The events as a chunk of an HTTP/1.1 body. */
  chunk(): Buffer
}

export function createFrames(frames: readonly Frame[]): Frames {
  const first = frames[0]?.position ?? -1
  let events: Buffer | undefined
  let chunk: Buffer | undefined
  /** Many clients number their operations from 1. */
  let latest: { id: string; messages: readonly Buffer[] } | undefined
  const own: Frames = {
    after(position) {
      // Of almost every viewer, for each event.
      if (position < first) return own
      const rest = frames.filter((frame) => frame.position > position)
      return rest.length > 0 ? createFrames(rest) : undefined
    },
    messages(id) {
      if (latest?.id !== id) latest = { id, messages: frames.map(({ payload }) => toMessage(id, payload)) }
      return latest.messages
    },
    events: () => (events ??= Buffer.concat(frames.flatMap(({ payload }) => [EVENT, payload, EVENT_END]))),
    chunk: () => (chunk ??= toChunk(own.events())),
  }
  return own
}

const EVENT = Buffer.from('event: next\ndata: ')
const EVENT_END = Buffer.from('\n\n')
const MESSAGE_END = Buffer.from('}')
const CHUNK_END = Buffer.from('\r\n')

/** RFC 9112, section 7.1. */
export function toChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CHUNK_END])
}

function toMessage(id: string, payload: Buffer): Buffer {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`
  const start = Buffer.byteLength(head)
  const message = Buffer.allocUnsafe(start + payload.length + MESSAGE_END.length)
  message.write(head)
  payload.copy(message, start)
  MESSAGE_END.copy(message, start + payload.length)
  return message
}

/** With errors as clients may see them. */
export function toPayload(
  { data, errors }: ExecutionResult,
  mask: (error: GraphQLError) => GraphQLError,
): Buffer {
  const visible = errors && { errors: errors.map((error) => withoutHttp(mask(error))) }
  return Buffer.from(JSON.stringify({ data, ...visible }))
}

/** `http`: the status of a response without values. */
function withoutHttp(error: GraphQLError): GraphQLError {
  const { http: _, ...visible } = error.extensions
  return toGraphQLError(error.message, visible, error)
}
