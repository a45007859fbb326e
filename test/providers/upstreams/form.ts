import type { ReceivedRequest } from './fake.ts'

export interface ReceivedForm {
  /** The text parts. */
  fields: Record<string, string>
  /** The image parts, by their field's name as it was sent, in order. */
  files: { field: string; name: string; type: string; bytes: Buffer }[]
}

/** A multipart request's parts; throws when it is none. */
export async function formOf({ headers, body }: ReceivedRequest): Promise<ReceivedForm> {
  const type = headers['content-type'] ?? ''
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  const received: ReceivedForm = { fields: {}, files: [] }
  for (const [field, value] of form) {
    if (typeof value === 'string') received.fields[field] = value
    else {
      const bytes = Buffer.from(await value.arrayBuffer())
      received.files.push({ field, name: value.name, type: value.type, bytes })
    }
  }
  return received
}

/** Parameters as the words they are on the wire, whether they came as JSON or as a form. */
export function wordsOf(parameters: Record<string, unknown>): Record<string, string> {
  const words = Object.entries(parameters).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return Object.fromEntries(words)
}
