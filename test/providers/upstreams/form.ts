import type { ReceivedRequest } from './fake.ts'

export interface ReceivedForm {
  /** The text parts. */
  fields: Record<string, string>
  /** The file parts in order, each with its field name. */
  files: { field: string; name: string; type: string; bytes: Buffer }[]
}

/** The parts of a multipart request. Throws for any other body. */
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

/** Parameters as strings, whether they were sent as JSON or as a form. */
export function toStrings(parameters: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(parameters).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return Object.fromEntries(entries)
}
