/** Parameters of the URL of the Studio. */
export interface StudioSearch {
  /** Image to edit. */
  from?: string | undefined
  /** Task whose settings fill the form. */
  task?: string | undefined
  model?: string | undefined
  provider?: string | undefined
}

export function readStudioSearch(given: Readonly<Record<string, unknown>>): StudioSearch {
  const from = idOf(given['from'], 'img_')
  const task = idOf(given['task'], 'task_')
  const model = textOf(given['model'])
  const provider = textOf(given['provider'])
  return {
    ...(from !== undefined && { from }),
    ...(task !== undefined && { task }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
  }
}

function idOf(value: unknown, prefix: string): string | undefined {
  const text = textOf(value)
  return text?.startsWith(prefix) ? text : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined
}
