import { scrub } from '../log.ts'
import type { Environment } from './environment.ts'
import { isSecretName } from './problems.ts'
import type { Sources } from './sources.ts'

// Shorter values would take harmless words out of the sentences, and are no secrets worth the name.
const LEAST_LENGTH = 6

/** A function that takes every secret of this configuration out of a text, whoever wrote the text. */
export function secretsRemover(env: Environment, sources: Sources): (text: string) => string {
  const secrets = [
    ...Object.entries(env).flatMap(([name, value]) => (isSecretName(name) && value ? [value] : [])),
    ...sources.inserted,
    ...secretTexts(sources.values),
    ...passwordOf(sources.values['databaseUrl']),
  ].filter((secret) => secret.length >= LEAST_LENGTH)
  // The longest first: a secret may hold another one.
  const ordered = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return (text) => ordered.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), scrub(text))
}

/** A secret as it is, as it stands within JSON, and as it stands in an address. */
function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
}

function secretTexts(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'string' ? (isSecretName(name) ? [inner] : []) : secretTexts(inner),
  )
}

function passwordOf(databaseUrl: unknown): string[] {
  const password = typeof databaseUrl === 'string' ? URL.parse(databaseUrl)?.password : undefined
  return password ? [password, decodeURIComponent(password)] : []
}
