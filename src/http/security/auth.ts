// Credentials of a request: only headers count, never the URL.
import type { Plugin } from 'graphql-yoga'
import type { Access } from '../../engine/access/access.ts'
import { holdsKey } from '../../engine/access/key-text.ts'
import type { Credential, Keyring } from '../../engine/access/keyring.ts'
import { GatewayError } from '../../errors.ts'
import { statusOf } from '../refusal.ts'

/** Returns the value of a header, or null. */
type HeaderReader = (name: string) => string | null

export function credentialOf(header: HeaderReader): Credential {
  const authorization = header('authorization')
  // Any other scheme counts as an invalid key, not as a missing one.
  const key = authorization === null ? null : (/^\s*Bearer +(\S+)\s*$/i.exec(authorization)?.[1] ?? '')
  return { key, project: header('darkroom-project') }
}

/**
 * The credential of a WebSocket. Browsers cannot set headers there, so connectionParams may hold them, under the names of
 * the headers or `project`.
 */
export function socketCredentialOf(
  header: HeaderReader,
  params: Record<string, unknown> | undefined,
): Credential {
  const values = new Map(Object.entries(params ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  values.set('darkroom-project', values.get('project') ?? values.get('darkroom-project'))
  return credentialOf((name) => {
    const value = values.get(name)
    return typeof value === 'string' ? value : header(name)
  })
}

/** An error message if the URL contains an API key, which logs of proxies would then store. */
export function apiKeyInUrlProblem(url: string, adminKey: string | null): string | undefined {
  const hasAdminKey =
    adminKey !== null && [adminKey, encodeURIComponent(adminKey)].some((key) => url.includes(key))
  if (!hasAdminKey && !holdsKey(url)) return undefined
  return (
    'The URL contains an API key, and URLs are stored in logs. Revoke the key, and send keys in the header ' +
    '"Authorization: Bearer …".'
  )
}

/** Authenticates a request before its body is read. Sets `caller` in the server context. */
export function useCaller(authenticate: Keyring['authenticate']): Plugin<{ caller?: Access }> {
  return {
    async onRequest(hook) {
      const { request, serverContext } = hook
      // Browsers send no credentials with a preflight.
      if (request.method === 'OPTIONS') return
      try {
        const caller = await authenticate(credentialOf((name) => request.headers.get(name)))
        Object.assign(serverContext, { caller })
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        hook.endResponse(refuseCaller(error, request))
      }
    },
  }
}

/** A response in the form that GraphQL clients read. */
function refuseCaller({ code, message }: GatewayError, { headers }: Request): Response {
  const acceptsGraphQL = headers.get('accept')?.includes('application/graphql-response+json')
  const challenge = headers.has('authorization') ? ', error="invalid_token"' : ''
  return new Response(JSON.stringify({ errors: [{ message, extensions: { code } }] }), {
    status: statusOf(code),
    headers: {
      'content-type': `application/${acceptsGraphQL ? 'graphql-response+json' : 'json'}; charset=utf-8`,
      ...(code === 'UNAUTHENTICATED' && { 'www-authenticate': `Bearer realm="darkroom"${challenge}` }),
    },
  })
}
