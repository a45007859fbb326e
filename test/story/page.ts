// A page as data: its fenced blocks, its curl commands as requests, and its outputs as messages to compare.

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

/** The request that a curl command sends. Throws for an option that is not supported here. */
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
    else if (word.startsWith('-')) assertOutputOption(word)
    else url = word
  }
  return new Request(url, { method: 'POST', headers, body })
}

function splitHeader(header: string): [string, string] {
  const [name = '', ...value] = header.split(':')
  return [name, value.join(':').trim()]
}

/** -s and -N change what curl prints, not what it sends. */
function assertOutputOption(option: string): void {
  if (!/^-[sN]+$/.test(option)) throw new Error(`The option ${option} of curl is not supported.`)
}

/** Stands for omitted messages. */
const GAP = '...'

/** The messages of an output: the JSON of server-sent events, other output line by line. */
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

/** From the ids, cursors and URLs of a page to those of this run. */
export type Names = Map<string, string>

/** The text with the names of this run. */
export function translate(text: string, names: Names): string {
  return [...names].reduce((rest, [shown, real]) => rest.replaceAll(shown, real), text)
}

/** The first difference between the shown and the real messages; undefined when there is none. Adds to `names`. */
export function findDifference(
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
    const conflict = addNames(message, one, names)
    if (conflict !== undefined) return conflict
    at = found + 1
  }
  const rest = real.slice(at)
  return rest.length === 0 || shown.at(-1) === GAP ? undefined : `not shown: ${rest.map(shape).join('\n')}`
}

/** A message without the values that differ between runs. */
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

/** Pairs the names in two messages of one shape. Returns the pair that contradicts an earlier one. */
function addNames(shown: unknown, real: unknown, names: Names): string | undefined {
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
