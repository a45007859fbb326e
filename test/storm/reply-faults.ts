// Replies that are lost, cut behind the last byte, or have fields of other types.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { damageField, ENDINGS } from '../providers/receiving/damaged-replies.ts'
import { send, type CannedReply } from '../providers/upstreams/fake.ts'
import { createDeck } from './faults.ts'
import type { ProxyOptions } from './faulty-proxy.ts'

export interface Reply {
  status: number
  type: string
  text: string
  replyHeaders: IncomingHttpHeaders
}

/** A reply with the attempt that it is about, and the process that sent the request. */
export interface AddressedReply extends Reply {
  attempt: string
  process: number
  /** The gateway reads only the remote id from it, and checks then. */
  isLookup: boolean
}

/** Replies that arrive unchanged, per round of faults. */
const FAULTLESS = 24
const LINK_SHARE = 0.4
const MAX_EVENT_MS = 100
/** An altered field is rarely as long as an image. */
const MAX_NOTED_LENGTH = 600

type ReplyFault = (reply: AddressedReply, response: ServerResponse) => CannedReply | undefined

export function createReplyFaults(
  { random, tally, evidence }: ProxyOptions,
  host: (image: Buffer) => string,
): (response: ServerResponse, reply: AddressedReply) => void {
  const FAULTS: Record<string, ReplyFault> = {
    'reply lost by a reset': (_, response) => void response.socket?.resetAndDestroy(),
    'reply replaced by a page': () => ({ status: 502, headers: HTML, body: '<html>Bad Gateway</html>' }),
    'reply cut within its body': ({ text, ...reply }) => ({
      ...canned({ ...reply, text: text.slice(0, text.length / 2) }),
      ending: 'closed early',
    }),
    ...Object.fromEntries(
      ENDINGS.map((ending): [string, ReplyFault] => [
        `reply: ${ending}, behind the last byte`,
        (reply) => ({ ...canned(reply), ending }),
      ]),
    ),
    'a field of another type': damageOne,
    'a field of another type, twice': (reply) => {
      const once = damageOne(reply)
      return { ...once, ...damageOne({ ...reply, text: String(once.body) }) }
    },
  }
  const deal = createDeck(random, tally, FAULTS, FAULTLESS)

  function damageOne(reply: AddressedReply): CannedReply {
    const body = damageLast(reply.text)
    evidence.altered.add(reply.attempt)
    evidence.journal.ofAttempt(reply.attempt, `altered to …${body.slice(-MAX_NOTED_LENGTH)}`)
    return { ...canned(reply), body }
  }

  /** The JSON, or that of the last event of a stream. */
  function damageLast(text: string): string {
    const at = text.lastIndexOf('data: ')
    const start = at === -1 ? 0 : at + 'data: '.length
    const [json = ''] = text.slice(start).split('\n', 1)
    const damaged = isJson(json) ? damageField(JSON.parse(json), random) : json
    return text.slice(0, start) + damaged + text.slice(start + json.length)
  }

  /** As providers do that return addresses instead of bytes. */
  function withLink(text: string, origin: string): string {
    const base64 = BASE64.exec(text)?.[1]
    if (base64 === undefined || random.next() >= LINK_SHARE) return text
    const url = `${origin}${host(Buffer.from(base64, 'base64'))}`
    return text.replace(`"b64_json":"${base64}"`, () => `"url":"${url}"`)
  }

  async function sendEvents(response: ServerResponse, { status, type, text }: Reply): Promise<void> {
    response.writeHead(status, { 'content-type': type })
    for (const event of text.split(/(?<=\n\n)/)) {
      response.write(event)
      await pause(random.between(0, MAX_EVENT_MS))
    }
  }

  return (response, incoming) => {
    const { attempt, process, status, type } = incoming
    const note = (text: string) => evidence.journal.ofAttempt(attempt, `reply to process ${process}: ${text}`)
    const origin = `http://${response.req.headers.host}`
    const isStream = type.includes('event-stream')
    if (status >= 300 || !(isStream || type.includes('json'))) {
      note(`status ${status}`)
      return send(response, canned(incoming))
    }
    const reply = isStream ? incoming : { ...incoming, text: withLink(incoming.text, origin) }
    const images = imagesIn(reply.text, isStream)
    const arrived = (text: string) => () => {
      const hasImage = images.some((image) => text.includes(image))
      note(hasImage ? 'an image arrived' : `${text.slice(0, 100)} arrived`)
      if (hasImage && !incoming.isLookup) evidence.arrived(attempt, process)
    }
    const card = deal()
    if (card) note(card.kind)
    if (!card && isStream) {
      void sendEvents(response, reply).then(() => response.end(arrived(reply.text)))
      return
    }
    if (card) tally.add(card.kind)
    const changed = card ? card.fault(reply, response) : canned(reply)
    if (changed) send(response, changed, arrived(String(changed.body)))
  }
}

function canned({ status, type, text, replyHeaders }: Reply): CannedReply {
  const requestId = replyHeaders['x-request-id']
  const headers = {
    'content-type': type,
    ...(typeof requestId === 'string' && { 'x-request-id': requestId }),
  }
  return { status, headers, body: text }
}

/** The images of a reply and their addresses, without the partial ones of a stream. */
function imagesIn(text: string, isStream: boolean): string[] {
  const finished = isStream ? text.split('\n\n').filter((event) => event.includes('.completed"')) : [text]
  return finished.flatMap((part) =>
    [...part.matchAll(IMAGES)].flatMap(([, base64, url]) => base64 ?? url ?? []),
  )
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const BASE64 = /"b64_json":"([^"]+)"/
const IMAGES = /"b64_json":"([^"]+)"|"(http:[^"]+\/(?:images|hosted)\/[^"]+)"/g
const HTML = { 'content-type': 'text/html' }
