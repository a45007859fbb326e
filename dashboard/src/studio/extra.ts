// Labels of a task, and parameters of a provider as they are typed.
export interface Label {
  key: string
  value: string
}

/** A value is JSON, such as `7`, `true` or `"7"`; any other text is itself. Empty ones are left out. */
export function extraOf(
  texts: Readonly<Record<string, string>>,
  allowed: readonly string[],
): Record<string, unknown> {
  const given = Object.entries(texts).filter(([name, text]) => text.trim() !== '' && allowed.includes(name))
  return Object.fromEntries(given.map(([name, text]) => [name, valueOf(text.trim())]))
}

/** As it is typed. */
export function textsOf(extra: unknown): Record<string, string> {
  if (typeof extra !== 'object' || extra === null) return {}
  const entries = Object.entries(extra).map(([name, value]): [string, string] => {
    const isPlain = typeof value === 'string' && valueOf(value) === value
    return [name, isPlain ? value : JSON.stringify(value)]
  })
  return Object.fromEntries(entries)
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
