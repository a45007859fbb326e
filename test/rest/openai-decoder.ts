// How openai-python reads server-sent events, line by line: an event without data, and a lone field, is an error there.
export interface DecodedEvent {
  event: string
  data: Record<string, unknown>
}

export function decodeAsOpenaiPython(text: string): { events: DecodedEvent[]; comments: number } {
  const events: DecodedEvent[] = []
  let [event, data, comments, hasField]: [string | null, string[], number, boolean] = [null, [], 0, false]
  for (const line of text.split('\n')) {
    if (line === '') {
      // It parses the data of every event that has any field.
      if (hasField) events.push({ event: event ?? '', data: JSON.parse(data.join('\n')) })
      ;[event, data, hasField] = [null, [], false]
    } else if (line.startsWith(':')) comments += 1
    else {
      const at = line.indexOf(':')
      const [name, value] = [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')]
      hasField = true
      if (name === 'event') event = value
      if (name === 'data') data.push(value)
    }
  }
  return { events, comments }
}
