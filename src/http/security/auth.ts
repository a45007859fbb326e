import type { Plugin } from 'graphql-yoga'
import type { Access } from '../../engine/access/access.ts'
import { containsKey } from '../../engine/access/key-text.ts'
import type { Credential, Keyring } from '../../engine/access/keyring.ts'
import { gatewayErrorOf, type GatewayError } from '../../errors.ts'
import { retryAfterOf, retryHeaders, statusOf } from '../refusal.ts'

/** `params`: connectionParams of a WebSocket, where browsers cannot set headers. */
export function credentialOf(headers: Headers, params: Record<string, unknown> = {}): Credential {
  const values = new Map(Object.entries(params).map(([name, value]) => [name.toLowerCase(), value]))
  const read = (name: string, value = values.get(name)) =>
    typeof value === 'string' ? value : headers.get(name)
  const authorization = read('authorization')
  return {
    // Another scheme is an invalid key, not a missing one.
    key: authorization === null ? null : (/^\s*Bearer +(\S+)\s*$/i.exec(authorization)?.[1] ?? ''),
    project: read('darkroom-project', values.get('project') ?? values.get('darkroom-project')),
  }
}

/** False for an operator only because no key exists yet. */
export function hasOperatorKey(
  headers: Headers,
  caller: Access | undefined,
  params?: Record<string, unknown>,
): boolean {
  return caller?.operator === true && credentialOf(headers, params).key !== null
}

/** URLs end up in logs. */
export function apiKeyInUrlProblem(url: string, adminKey: string | null): string | undefined {
  const hasAdminKey =
    adminKey !== null && [adminKey, encodeURIComponent(adminKey)].some((key) => url.includes(key))
  if (!hasAdminKey && !containsKey(url)) return undefined
  return (
    'The URL contains an API key, and URLs are stored in logs. Revoke the key, and send keys in the header ' +
    '"Authorization: Bearer …".'
  )
}

/** Sets `caller` in the context, before the body is read. */
export function useCaller(authenticate: Keyring['authenticate']): Plugin<{ caller?: Access }> {
  return {
    async onRequest(hook) {
      const { request, serverContext } = hook
      if (request.method === 'OPTIONS') return
      try {
        const caller = await authenticate(credentialOf(request.headers))
        Object.assign(serverContext, { caller })
      } catch (error) {
        const known = gatewayErrorOf(error)
        if (!known) throw error
        hook.endResponse(refuseCaller(known, request))
      }
    },
  }
}

function refuseCaller(error: GatewayError, { headers }: Request): Response {
  const { code, message } = error
  const retryAfter = retryAfterOf(error)
  const acceptsGraphQL = headers.get('accept')?.includes('application/graphql-response+json')
  const challenge = headers.has('authorization') ? ', error="invalid_token"' : ''
  return new Response(
    JSON.stringify({
      errors: [{ message, extensions: { code, ...(retryAfter !== undefined && { retryAfter }) } }],
    }),
    {
      status: statusOf(code),
      headers: {
        'content-type': `application/${acceptsGraphQL ? 'graphql-response+json' : 'json'}; charset=utf-8`,
        ...retryHeaders(error),
        ...(code === 'UNAUTHENTICATED' && { 'www-authenticate': `Bearer realm="darkroom"${challenge}` }),
      },
    },
  )
}
