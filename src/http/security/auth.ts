// Who sends a request: read from its headers before anything else of it, and never from its address.
import type { Plugin } from 'graphql-yoga'
import type { Access } from '../../engine/access/access.ts'
import { holdsKey } from '../../engine/access/key-text.ts'
import type { Credential, Keyring } from '../../engine/access/keyring.ts'
import { GatewayError, type GatewayErrorCode } from '../../errors.ts'
import { REQUEST_ERRORS } from '../refusal.ts'

type Header = (name: string) => string | null

/** What a request shows of who sends it. `header` answers null for one that did not come. */
export function credentialOf(header: Header): Credential {
  const shown = header('authorization')
  // What is no bearer token is no key either, and is refused as one.
  const key = shown === null ? null : (/^\s*Bearer +(\S+)\s*$/i.exec(shown)?.[1] ?? '')
  return { key, project: header('darkroom-project') }
}

/**
 * The same for a WebSocket, whose first message may say it as well, since browsers can set no header there: by the names
 * of the headers, or `project`.
 */
export function socketCredentialOf(header: Header, params: Record<string, unknown> | undefined): Credential {
  const said = new Map(Object.entries(params ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  said.set('darkroom-project', said.get('project') ?? said.get('darkroom-project'))
  return credentialOf((name) => {
    const value = said.get(name)
    return typeof value === 'string' ? value : header(name)
  })
}

/** Why an address is refused unread: a key in it would be in every log on the way. Undefined when there is none. */
export function keyInUrl(url: string, adminKey: string | null): string | undefined {
  const isAdmin =
    adminKey !== null && [adminKey, encodeURIComponent(adminKey)].some((key) => url.includes(key))
  if (!isAdmin && !holdsKey(url)) return undefined
  return (
    'There is an API key in the address, where logs and histories keep it. Send it in the header ' +
    '"Authorization: Bearer …", and revoke this one.'
  )
}

/** Lets in who may ask, before the body is read, and puts them into the server context as `caller`. */
export function useCaller(admit: Keyring['admit']): Plugin<{ caller?: Access }> {
  return {
    async onRequest(hook) {
      const { request, serverContext } = hook
      // A preflight asks for nothing, and browsers send no credentials with it.
      if (request.method === 'OPTIONS') return
      try {
        const caller = await admit(credentialOf((name) => request.headers.get(name)))
        Object.assign(serverContext, { caller })
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        hook.endResponse(refuseCaller(error, request))
      }
    },
  }
}

const STATUSES: Partial<Record<GatewayErrorCode, number>> = REQUEST_ERRORS

/** The refusal in the form of GraphQL, which is what its clients read. */
function refuseCaller({ code, message }: GatewayError, { headers }: Request): Response {
  const isNew = headers.get('accept')?.includes('application/graphql-response+json')
  const given = headers.has('authorization') ? ', error="invalid_token"' : ''
  return new Response(JSON.stringify({ errors: [{ message, extensions: { code } }] }), {
    status: STATUSES[code] ?? 400,
    headers: {
      'content-type': `application/${isNew ? 'graphql-response+json' : 'json'}; charset=utf-8`,
      ...(code === 'UNAUTHENTICATED' && { 'www-authenticate': `Bearer realm="darkroom"${given}` }),
    },
  })
}
