// The README as data: its fenced blocks, its curl commands as requests, and its outputs as shapes to compare with.

export interface Block {
  language: string
  text: string
}

export function readBlocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}

/** A curl command as the request it sends. Throws for an option that is not translated here. */
export function readCurl(command: string): Request {
  const [curl, ...words] = [...command.matchAll(/'([^']*)'|([^\s']+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  )
  if (curl !== 'curl') throw new Error(`Not a curl command: ${command}`)
  const headers = new Headers()
  let url = ''
  let body = ''
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-H') headers.append(...splitHeader(words.shift() ?? ''))
    else if (word === '-d') body = words.shift() ?? ''
    else if (word.startsWith('-')) assertQuiet(word)
    else url = word
  }
  return new Request(url, { method: 'POST', headers, body })
}

function splitHeader(header: string): [string, string] {
  const [name = '', ...value] = header.split(':')
  return [name, value.join(':').trim()]
}

/** -s and -N change what curl prints, not what it sends. */
function assertQuiet(option: string): void {
  if (!/^-[sN]+$/.test(option)) throw new Error(`What does curl ${option} send?`)
}

/** Some messages of a stream, or any other lines, left out. */
const GAP = '...'

/** An output as the list of its messages: server-sent events by their JSON, other output line by line. */
export function readMessages(output: string): unknown[] {
  if (!/^event: /m.test(output)) return output.trim().split('\n').map(parse)
  return output
    .split(/\n\n+/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith(':'))
    .map((part) => {
      if (part === GAP) return GAP
      const [, event, data = ''] = /^event: (\w+)\ndata:(.*)$/.exec(part) ?? []
      return { event, data: parse(data.trim()) }
    })
}

function parse(line: string): unknown {
  return line.startsWith('{') ? JSON.parse(line) : line
}

/** What the README's ids, cursors and addresses are called in this run. */
export type Names = Map<string, string>

/** The same text with this run's names. */
export function translate(text: string, names: Names): string {
  return [...names].reduce((rest, [shown, real]) => rest.replaceAll(shown, real), text)
}

/** How messages differ from those the README shows; undefined when they do not. Learns this run's names from them. */
export function difference(
  shown: readonly unknown[],
  real: readonly unknown[],
  names: Names,
): string | undefined {
  let at = 0
  for (const [index, message] of shown.entries()) {
    if (message === GAP) continue
    const found =
      shown[index - 1] === GAP ? real.findIndex((one, i) => i >= at && shape(one) === shape(message)) : at
    const one = real[found]
    if (one === undefined || shape(one) !== shape(message)) {
      return `shown: ${shape(message)}\nreal:  ${real.slice(at).map(shape).join('\n       ')}`
    }
    const conflict = learn(message, one, names)
    if (conflict !== undefined) return conflict
    at = found + 1
  }
  const rest = real.slice(at)
  return rest.length === 0 || shown.at(-1) === GAP ? undefined : `not shown: ${rest.map(shape).join('\n')}`
}

/** A message without what differs from run to run. */
function shape(message: unknown): string {
  return JSON.stringify(message, (key, value: unknown) => {
    if (typeof value === 'number' && VARYING_NUMBERS[key]?.(value)) return `a ${key}`
    return typeof value === 'string' ? value.replace(CURSOR, '<cursor>').replaceAll(NAME, '<name>') : value
  })
}

const CURSOR = /^dGFza[\w-]{40,}$/
const NAME = /\b(?:task|att|img)_[0-9A-Z]{26}\b|http:\/\/127\.0\.0\.1:\d+/g

const VARYING_NUMBERS: Readonly<Record<string, (value: number) => boolean>> = {
  progress: (value) => value > 0 && value <= 1,
  byteSize: (value) => value > 10_000,
}

/** Pairs the names in two messages of one shape. Answers with the pair that contradicts an earlier one. */
function learn(shown: unknown, real: unknown, names: Names): string | undefined {
  const pairs = namesIn(shown).map((name, index) => [name, namesIn(real)[index] ?? ''] as const)
  for (const [name, called] of pairs) {
    if ((names.get(name) ?? called) !== called) return `${name} was ${names.get(name)}, and is now ${called}`
    names.set(name, called)
  }
  return undefined
}

function namesIn(message: unknown): string[] {
  const found: string[] = []
  JSON.stringify(message, (_, value: unknown) => {
    if (typeof value === 'string') found.push(...(CURSOR.test(value) ? [value] : (value.match(NAME) ?? [])))
    return value
  })
  return found
}
