import { redactSecrets } from '../log.ts'
import type { Environment } from './environment.ts'
import { isSecretName } from './problems.ts'
import type { Sources } from './sources.ts'

/** Redacting shorter values would damage messages. */
const MIN_SECRET_LENGTH = 6

/** Returns a function that removes this configuration's secrets. */
export function createRedactor(env: Environment, sources: Sources): (text: string) => string {
  const secrets = [
    ...Object.entries(env).flatMap(([name, value]) => (isSecretName(name) && value ? [value] : [])),
    ...sources.inserted,
    ...secretsIn(sources.values),
    ...passwordOf(sources.values['databaseUrl']),
  ].filter((secret) => secret.length >= MIN_SECRET_LENGTH)
  // Longest first: one may contain another.
  const ordered = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return (text) =>
    ordered.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), redactSecrets(text))
}

/** As is, in JSON, in a URL. */
function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
}

function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'string' ? (isSecretName(name) ? [inner] : []) : secretsIn(inner),
  )
}

function passwordOf(databaseUrl: unknown): string[] {
  const password = typeof databaseUrl === 'string' ? URL.parse(databaseUrl)?.password : undefined
  return password ? [password, decodeURIComponent(password)] : []
}
