export const LANGUAGES = ['curl', 'js', 'openai'] as const

export type Language = (typeof LANGUAGES)[number]

/** Parameters of the URL. */
export interface ConnectSearch {
  /** Absent for curl. */
  lang?: Language | undefined
}

export function readConnectSearch(given: Readonly<Record<string, unknown>>): ConnectSearch {
  const lang = LANGUAGES.find((one) => one === given['lang'])
  return lang && lang !== 'curl' ? { lang } : {}
}
