import { ConfigError } from './error.ts'

/** `allowAnonymous`: as the embedding program set it. */
export function missingKeyError(host: string, allowAnonymous: boolean | undefined): ConfigError {
  if (allowAnonymous !== undefined)
    return new ConfigError([
      'adminKey is not set, and the database has no API key, so every request would be refused. Set adminKey, create a ' +
        'key with `darkroom keys create`, or set allowAnonymous if only trusted clients can connect.',
    ])
  return new ConfigError([
    `HOST is "${host}", which other machines can reach, and there is neither an API key nor DARKROOM_ADMIN_KEY. ` +
      'Create a key with `darkroom keys create`, set DARKROOM_ADMIN_KEY, or listen on 127.0.0.1.',
  ])
}
