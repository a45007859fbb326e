import { createHash } from 'node:crypto'

const MIN_LENGTH = 4_096

/**
 * Replaces data URLs by their hashes, and returns them by hash. The SDK holds the message until the call ends; the
 * images are freed once the task is stored.
 */
export function setAside(message: unknown): Map<string, string> {
  const found = new Map<string, string>()
  const params = propertyOf(message, 'params')
  const given = propertyOf(params, 'arguments')
  const images = propertyOf(given, 'images')
  for (const [holder, name] of [
    ...(Array.isArray(images) ? images.map((_, i): [unknown, string] => [images, String(i)]) : []),
    ...['mask', 'markup'].map((guide): [unknown, string] => [given, guide]),
  ]) {
    const value = propertyOf(holder, name)
    if (typeof value !== 'string' || !value.startsWith('data:') || value.length < MIN_LENGTH) continue
    const placeholder = `data:sha256,${createHash('sha256').update(value).digest('hex')}`
    found.set(placeholder, value)
    Reflect.set(Object(holder), name, placeholder)
  }
  return found
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
