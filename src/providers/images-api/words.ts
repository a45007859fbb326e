// For messages and logs only: it may repeat the prompt, and decides nothing.

/** The most telling first. */
const FIELDS = [
  'message',
  'msg',
  'detail',
  'error_description',
  'errorMessage',
  'error_message',
  'error_msg',
  'description',
  'reason',
  'faultstring',
  'title',
  'error',
  'errors',
  'fault',
]
const MAX_DEPTH = 8
/** Says nothing about a failed task. */
const NO_NEWS = /^(?:ok|success)\.?$/i
const MAX_CHARACTERS = 2000

/**
 * Of any JSON, a text, or an HTML title; '' without. Without a known field, a failure's words are its JSON. Not
 * cleaned.
 */
export function wordsOf(json: unknown, text: string, isFailure: boolean): string {
  if (json === undefined) return (titleOf(text) ?? text).slice(0, MAX_CHARACTERS)
  const said = messageIn(json, MAX_DEPTH)
  if (said !== '' || !isFailure) return said
  const isEmpty = typeof json !== 'object' || json === null || Object.keys(json).length === 0
  return isEmpty ? '' : JSON.stringify(json).slice(0, MAX_CHARACTERS)
}

function messageIn(json: unknown, depth: number): string {
  if (typeof json === 'string') return NO_NEWS.test(json.trim()) ? '' : json.trim()
  if (typeof json !== 'object' || json === null || depth === 0) return ''
  if (Array.isArray(json)) {
    const parts = json.slice(0, 5).map((item) => messageIn(item, depth - 1))
    return parts.filter((part) => part !== '').join('; ')
  }
  const fields: Record<string, unknown> = { ...json }
  for (const name of FIELDS) {
    const said = messageIn(fields[name], depth - 1)
    if (said !== '') return said
  }
  for (const value of Object.values(fields)) {
    const said = typeof value === 'object' ? messageIn(value, depth - 1) : ''
    if (said !== '') return said
  }
  return ''
}

function titleOf(text: string): string | undefined {
  return /<title[^>]*>([^<]+)</i.exec(text)?.[1]
}
