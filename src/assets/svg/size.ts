export interface SvgSize {
  width: number
  height: number
}

/** CSS Images, 5.2: the default object size. */
const DEFAULT_SIZE: SvgSize = { width: 300, height: 150 }
const MAX_EDGE = 1_000_000

/** From the viewBox of the root, else its width and height in pixels, else 300x150. Reads only the given head. */
export function svgSize(head: Buffer): SvgSize {
  const text = head.toString('latin1')
  const start = rootOf(text)
  const root = start < 0 ? '' : rootTag(text, start)
  const box = attribute(root, 'viewBox')
    ?.trim()
    .split(/[\s,]+/)
    .map(Number)
  return (
    sizeOf(box?.[2], box?.[3]) ??
    sizeOf(pixels(attribute(root, 'width')), pixels(attribute(root, 'height'))) ??
    DEFAULT_SIZE
  )
}

/** Position of the root after declarations, comments and a document type; -1 if it is not `svg`. */
export function rootOf(text: string): number {
  for (let at = text.search(/[^\s\u00ef\u00bb\u00bf]/); at >= 0;) {
    const rest = text.slice(at, at + 9).toLowerCase()
    const end = rest.startsWith('<!--')
      ? after(text, '-->', at)
      : rest.startsWith('<?')
        ? after(text, '?>', at)
        : rest === '<!doctype'
          ? afterDoctype(text, at)
          : undefined
    if (end === undefined) return /^<svg[\s>/]/.test(rest) ? at : -1
    if (end < 0) return -1
    const next = text.slice(end, end + MAX_GAP).search(/\S/)
    at = next < 0 ? -1 : end + next
  }
  return -1
}

const MAX_GAP = 1024

function after(text: string, close: string, from: number): number {
  const at = text.indexOf(close, from)
  return at < 0 ? -1 : at + close.length
}

/** With an internal subset, whose values may contain brackets: the last one counts. */
function afterDoctype(text: string, from: number): number {
  const [subset, end] = [text.indexOf('[', from), text.indexOf('>', from)]
  if (subset < 0 || (end >= 0 && end < subset)) return end < 0 ? -1 : end + 1
  const root = text.slice(subset).search(/\]\s*>\s{0,1000}<svg[\s>/]/i)
  return root < 0 ? -1 : after(text, '>', subset + root)
}

/** Up to the `>` outside of quotes. */
function rootTag(text: string, start: number): string {
  let quote = ''
  for (let at = start; at < text.length; at++) {
    const character = text[at]!
    if (quote !== '') quote = character === quote ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === '>') return text.slice(start, at)
  }
  return text.slice(start)
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag)
  return match?.[1] ?? match?.[2]
}

/** Undefined for other units than pixels. */
function pixels(length: string | undefined): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec(length ?? '')
  return match ? Number(match[1]) : undefined
}

function sizeOf(width: number | undefined, height: number | undefined): SvgSize | undefined {
  if (!width || !height || !(width > 0) || !(height > 0)) return undefined
  return { width: toEdge(width), height: toEdge(height) }
}

function toEdge(length: number): number {
  return Math.min(MAX_EDGE, Math.max(1, Math.round(length)))
}
