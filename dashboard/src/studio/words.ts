/** An enum value as a word. */
export function wordOf(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === '') return 'Default'
  if (typeof value === 'number') return String(value)
  if (value === 'WEBP') return 'WebP'
  if (ACRONYMS.has(value)) return value
  if (/^\d+x\d+$/.test(value)) return value.replace('x', ' × ')
  return value.charAt(0) + value.slice(1).toLowerCase()
}

const ACRONYMS: ReadonlySet<string> = new Set(['PNG', 'JPEG', 'GIF', 'SVG', 'HD'])
