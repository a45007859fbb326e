export const MODES = ['slider', 'side', 'blink'] as const

export type Mode = (typeof MODES)[number]

/** Parameters of the URL of a comparison: two images by id. */
export interface CompareSearch {
  a?: string | undefined
  b?: string | undefined
  /** Absent for the slider. */
  mode?: Mode | undefined
}

export function readCompareSearch(given: Readonly<Record<string, unknown>>): CompareSearch {
  const a = idOf(given['a'])
  const b = idOf(given['b'])
  const mode = MODES.find((one) => one === given['mode'])
  return {
    ...(a !== undefined && { a }),
    ...(b !== undefined && { b }),
    ...(mode && mode !== 'slider' && { mode }),
  }
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^img_\w{1,100}$/.test(value) ? value : undefined
}
