export const OBJECTS = 'objects/'
/** About to be referenced: a collection keeps the content. */
export const TOUCHED = 'touched/'
/** Copies of content about to be deleted. */
export const ASIDE = 'aside/'
export const OWNER = 'owner'
export const CHECK = 'check/'

const SHA256 = /^[0-9a-f]{64}$/

export const isHash = (sha256: string) => SHA256.test(sha256)

export const objectKey = (sha256: string) => `${OBJECTS}${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`

export const touchKey = (sha256: string) => `${TOUCHED}${sha256}`

export const renditionKey = (name: string) => `renditions/${name}`

export const asideKey = (sha256: string) => `${ASIDE}${sha256}`

/** The hash that a key ends with; undefined for other keys. */
export function hashOf(key: string): string | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1)
  return isHash(name) ? name : undefined
}
