/**
 * The complete values of a JSON text that breaks off, as JSON. Leaves out a number at the end, which may go
 * on, and a string without its quote, unless it holds JSON itself. Undefined without a complete value.
 */
export function completeJson(text: string): string | undefined {
  /** The brackets that close the open ones, outermost first. */
  const closers: string[] = []
  let completeTo: number | undefined
  let isAfterColon = false

  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') {
      const start = at + 1
      const isValue = isAfterColon || closers.at(-1) === ']'
      const { end, isClosed } = endOfString(text, start)
      if (isClosed && isValue) completeTo = end + 1
      if (!isClosed && isValue && HOLDS_JSON.test(text.slice(start, start + 100)))
        return close(`${text.slice(0, end)}"`, closers)
      at = end
    } else if (character === '{' || character === '[') {
      closers.push(character === '{' ? '}' : ']')
      isAfterColon = false
      completeTo = at + 1
    } else if (character === '}' || character === ']') {
      closers.pop()
      completeTo = at + 1
      if (closers.length === 0) break
    } else if (character === ',') {
      isAfterColon = false
      completeTo = at
    } else if (character === ':') isAfterColon = true
  }
  return completeTo === undefined ? undefined : close(text.slice(0, completeTo), closers)
}

function close(text: string, closers: readonly string[]): string {
  return text + closers.toReversed().join('')
}

const HOLDS_JSON = /^\s*[{[]/

/** `end`: of the closing quote, or after the last complete character. */
function endOfString(text: string, from: number): { end: number; isClosed: boolean } {
  let at = from
  while (at < text.length) {
    if (text[at] === '"') return { end: at, isClosed: true }
    const length = text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2
    if (at + length > text.length) break
    at += length
  }
  return { end: at, isClosed: false }
}
