// A cheap look at the text before a parser sees it: linear in its length.

export const MAX_SVG_BYTES = 2 * 1024 * 1024
const MAX_DEPTH = 64
const MAX_ELEMENTS = 20_000
/** Each keeps a surface of its own. */
const MAX_FILTER_PRIMITIVES = 32

/** Why an SVG is not rasterised; undefined if it may be. Completes "the SVG …". */
export function svgProblem(bytes: Buffer): string | undefined {
  if (bytes.length > MAX_SVG_BYTES) return `has ${bytes.length} bytes; the maximum is ${MAX_SVG_BYTES}`
  const text = bytes.toString('latin1')
  if (text.includes('\0')) return 'is not UTF-8'
  // Bounded: a text of many document types would be read once for each.
  if (/<!ENTITY|<!DOCTYPE[^>]{0,1000}\[/i.test(text)) return 'declares entities'
  if (/@import/i.test(text)) return 'refers to other files'
  for (const [, target = ''] of text.matchAll(/url\(\s*["']?([^)]{0,8})/gi))
    if (!target.startsWith('#')) return 'refers to other files'
  return problemOfTags(text)
}

function problemOfTags(text: string): string | undefined {
  let depth = 0
  let elements = 0
  let primitives = 0
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const end = endOfMarkup(text, at)
    if (end < 0) return 'is cut short'
    const next = text[at + 1]
    if (next === '/') depth--
    else if (next !== '!' && next !== '?') {
      const tag = text.slice(at, end)
      if (refersOutside(tag)) return 'refers to other files'
      if (/^<(?:\w+:)?fe[A-Z]/.test(tag)) primitives++
      elements++
      if (!tag.endsWith('/>')) depth++
    }
    if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} elements`
    if (elements > MAX_ELEMENTS) return `has more than ${MAX_ELEMENTS} elements`
    if (primitives > MAX_FILTER_PRIMITIVES) return `has more than ${MAX_FILTER_PRIMITIVES} filter primitives`
    at = end
  }
  return undefined
}

/** After the markup at a `<`; -1 if it does not end. */
function endOfMarkup(text: string, start: number): number {
  for (const [open, close] of SECTIONS)
    if (text.startsWith(open, start)) {
      const end = text.indexOf(close, start + open.length)
      return end < 0 ? -1 : end + close.length
    }
  for (let at = start + 1, quote = ''; at < text.length; at++) {
    const character = text[at]!
    if (quote !== '') quote = character === quote ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === '>') return at + 1
  }
  return -1
}

const SECTIONS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const

/** A link of `a` loads nothing. */
function refersOutside(tag: string): boolean {
  if (/^<(?:\w+:)?a[\s>/]/.test(tag)) return false
  for (const [, target = ''] of tag.matchAll(/\s(?:[\w-]+:)?(?:href|src)\s*=\s*["']\s*(.)/gi))
    if (target !== '#') return true
  return false
}
