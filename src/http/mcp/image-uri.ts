const PREFIX = 'darkroom://images/'

export const IMAGE_URI_TEMPLATE = `${PREFIX}{id}`

export function imageUri(id: string): string {
  return PREFIX + id
}

/** Undefined for any other URI. */
export function readImageUri(uri: string): string | undefined {
  return uri.startsWith(PREFIX) ? /^img_[0-9A-Za-z]{1,64}$/.exec(uri.slice(PREFIX.length))?.[0] : undefined
}
