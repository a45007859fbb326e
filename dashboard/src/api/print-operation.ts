// The text of an operation for people, from its compact form.
const TOKEN = /"(?:\\.|[^"\\])*"|\.\.\.|[{}()[\]:$!=@|&,]|[^\s{}()[\]:$!=@|&,".]+/g
/** Arguments and fields of inputs whose texts are names of an enum. */
const ENUMS = new Set([
  'groupBy',
  'operation',
  'operations',
  'qualities',
  'reason',
  'reasons',
  'resolution',
  'statuses',
])

/** With line breaks, and with `variables` as defaults, so that it runs as it stands. */
export function printOperation(compact: string, variables: Readonly<Record<string, unknown>> = {}): string {
  const tokens: readonly string[] = compact.match(TOKEN) ?? []
  const start = tokens.indexOf('{')
  const isWithVariables = tokens.indexOf('(') !== -1 && tokens.indexOf('(') < start
  const header = isWithVariables
    ? printHeader(tokens.slice(0, start), variables)
    : tokens.slice(0, start).join(' ')
  return `${header}${printSelections(tokens.slice(start))}\n`
}

/** Each variable on a line of its own. */
function printHeader(tokens: readonly string[], variables: Readonly<Record<string, unknown>>): string {
  const open = tokens.indexOf('(')
  const definitions = tokens
    .slice(open + 1, -1)
    .join('')
    .split('$')
    .slice(1)
  const lines = definitions.map((definition) => {
    const [name = '', type = ''] = definition.split(':')
    const value = variables[name]
    return `  $${name}: ${type}${value === undefined ? '' : ` = ${literalOf(value, name)}`}`
  })
  return `${tokens.slice(0, open).join(' ')}(\n${lines.join('\n')}\n)`
}

function printSelections(tokens: readonly string[]): string {
  let text = ''
  let depth = 0
  let parentheses = 0
  for (const [index, token] of tokens.entries()) {
    const last = tokens[index - 1] ?? ''
    const line = () => `\n${'  '.repeat(depth)}`
    if (token === '{' && parentheses === 0) {
      text += ' {'
      depth++
    } else if (token === '}' && parentheses === 0) {
      depth--
      text += `${line()}}`
    } else if (token === '(' || token === ')') {
      parentheses += token === '(' ? 1 : -1
      text += token
    } else if (token === ':') text += ': '
    else if (parentheses > 0) text += (/^[$\w"]/.test(token) && /[\w"\]}]$/.test(last) ? ', ' : '') + token
    else if (depth === 0) text += last === '}' ? `\n\n${token}` : ` ${token}`
    else if (last === ':' || last === '...') text += token
    else if (last === 'on' || token === 'on') text += ` ${token}`
    else text += line() + token
  }
  return text
}

function literalOf(value: unknown, name: string): string {
  if (Array.isArray(value)) return `[${value.map((one) => literalOf(one, name)).join(', ')}]`
  if (typeof value === 'string') return ENUMS.has(name) ? value : JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, one]) => one !== undefined)
  return `{${fields.map(([key, one]) => `${key}: ${literalOf(one, key)}`).join(', ')}}`
}
